import { expect, test } from "bun:test"
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { listen } from "./listen.ts"
import { empty } from "./reply.ts"

const options = { handle: () => empty(204), commonHeaders: "" }

function scratch(): Disposable & { readonly path: string } {
  const directory = mkdtempSync(join(tmpdir(), "dhow-listen-"))
  return { path: join(directory, "sub", "api.sock"), [Symbol.dispose]: () => rmSync(directory, { recursive: true }) }
}

test("listen() makes the parent directory and a socket closed to others", async () => {
  using at = scratch()
  const [listener] = await listen(`unix://${at.path}`, options)
  expect((statSync(at.path).mode & 0o777).toString(8)).toBe("660")
  expect(listener?.address).toBe(`unix://${at.path}`)
  listener?.close()
})

test("listen() replaces the socket of a daemon that was killed", async () => {
  using at = scratch()
  const killed = Bun.spawnSync([
    process.execPath,
    "-e",
    `require("fs").mkdirSync(${JSON.stringify(join(at.path, ".."))});
     Bun.listen({ unix: ${JSON.stringify(at.path)}, socket: { data() {} } }); process.kill(process.pid, "SIGKILL")`,
  ])
  expect(killed.signalCode).toBe("SIGKILL")
  expect(existsSync(at.path)).toBe(true)
  const [listener] = await listen(`unix://${at.path}`, options)
  const answer = await fetch("http://localhost/", { unix: at.path })
  expect(answer.status).toBe(204)
  listener?.close()
})

test("listen() leaves a daemon alone that answers", async () => {
  using at = scratch()
  const [listener] = await listen(`unix://${at.path}`, options)
  expect(listen(`unix://${at.path}`, options)).rejects.toThrow("another daemon is serving it")
  listener?.close()
})

test("listen() never removes a file that is no socket", async () => {
  using at = scratch()
  const file = join(at.path, "..", "..", "precious")
  writeFileSync(file, "data")
  expect(listen(`unix://${file}`, options)).rejects.toThrow("not a socket")
  expect(existsSync(file)).toBe(true)
})

test.each(["tcp://0.0.0.0:2375", "/run/x.sock", "unix://", `unix:///${"x".repeat(200)}`])(
  "listen() refuses %s",
  async (host) => {
    expect(listen(host, options)).rejects.toThrow(`Cannot listen on "${host}"`)
  },
)

test("listen() on fd:// needs sockets from systemd", async () => {
  expect(listen("fd://", options)).rejects.toThrow("systemd passed no sockets")
})
