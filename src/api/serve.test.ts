import { expect, test } from "bun:test"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { engineWith } from "./docker/test-call.ts"
import { serve } from "./serve.ts"

function scratch(): Disposable & { host(name: string): string; path(name: string): string } {
  const directory = mkdtempSync(join(tmpdir(), "dhow-serve-"))
  return {
    path: (name) => join(directory, name),
    host: (name) => `unix://${join(directory, name)}`,
    [Symbol.dispose]: () => rmSync(directory, { recursive: true }),
  }
}

test("serve() answers on every address, as the engine and API version it is", async () => {
  using at = scratch()
  const hosts = [at.host("a.sock"), at.host("b.sock")]
  const server = await serve({ engine: engineWith({}), hosts, version: "1.2.3" })
  expect(server.addresses).toEqual(hosts)
  for (const name of ["a.sock", "b.sock"]) {
    const answer = await fetch("http://localhost/_ping", { unix: at.path(name) })
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "api-version": "1.54",
      "docker-experimental": "false",
      ostype: "linux",
      server: "dhow/1.2.3 (linux)",
      "content-type": "text/plain; charset=utf-8",
    })
    expect(await answer.text()).toBe("OK")
  }
  server.close()
})

test("serve() takes back the addresses it has when another cannot be had", async () => {
  using at = scratch()
  const hosts = [at.host("a.sock"), "tcp://127.0.0.1:1"]
  await expect(serve({ engine: engineWith({}), hosts, version: "0" })).rejects.toThrow("only unix:// and fd://")
  expect(existsSync(at.path("a.sock"))).toBe(false)
})
