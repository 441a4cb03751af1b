import { expect, test } from "bun:test"
import { basename } from "node:path"
import { describePeer } from "./peer.ts"
import { empty } from "./reply.ts"
import { startServer } from "./test-client.ts"

test("a request knows the process at the other end of its socket", async () => {
  let seen: unknown
  await using server = await startServer((request) => {
    seen = request.peer?.()
    return empty(204)
  })
  await server.exchange("GET / HTTP/1.0\r\n\r\n")
  expect(seen).toMatchObject({
    Kind: "client",
    Pid: process.pid,
    Uid: process.getuid!(),
    Program: basename(process.execPath),
  })
})

test("describePeer() says nothing of a descriptor that is no socket", () => {
  expect(describePeer(-1)).toBeUndefined()
  expect(describePeer(99_999)).toBeUndefined()
})
