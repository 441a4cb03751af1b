// The commands of docker's own client that speak to a registry, in their long and short forms.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { docker, dockerProgram } from "../support/docker.ts"
import { testEngine } from "../support/fixture.ts"
import { hasRegistry, TestRegistry } from "../support/registry.ts"

describe.skipIf(dockerProgram === undefined || !hasRegistry)("docker's commands for registries", () => {
  const engine = testEngine()
  const client = docker(engine)
  let registry: TestRegistry
  let open: TestRegistry

  beforeAll(async () => {
    registry = await TestRegistry.start({ users: { alice: "wonder:land" } })
    open = await TestRegistry.start()
  })
  afterAll(async () => {
    await registry.stop()
    await open.stop()
  })

  test("login, push, pull, logout", async () => {
    const name = `${registry.host}/team/box:1`
    await client.ok("tag", "bb", name)
    const login = await client.run(["login", "-u", "alice", "--password-stdin", registry.host], {
      stdin: "wonder:land",
    })
    expect(login.stdout).toContain("Login Succeeded")
    const wrong = await client.run(["login", "-u", "alice", "--password-stdin", registry.host], { stdin: "wrong" })
    expect(`${wrong.status} ${wrong.stderr}`).toMatch(/^1 .*unauthorized/i)
    for (const words of [["push"], ["image", "push"]])
      expect(await client.ok(...words, name)).toMatch(/1: digest: sha256:[0-9a-f]{64} size: \d+/)
    for (const words of [["pull"], ["image", "pull"]]) {
      await client.ok("rmi", name)
      expect(await client.ok(...words, name)).toContain(`Status: Downloaded newer image for ${name}`)
      expect(await client.ok(...words, "-q", name)).toBe(name)
    }
    expect(await client.ok("logout", registry.host)).toContain(`Removing login credentials for ${registry.host}`)
    const config = join(dirname(engine.socket), "home", "config.json")
    expect(readFileSync(config, "utf8")).not.toContain(registry.host)
    expect((await client.run(["push", name])).stderr).toContain("no basic auth credentials")
  })

  test("search", async () => {
    await client.ok("tag", "bb", `${open.host}/found/box:1`)
    await client.ok("push", `${open.host}/found/box:1`)
    expect(await client.ok("search", "--format", "{{.Name}}", `${open.host}/box`)).toContain("found/box")
  })

  test("manifest create, annotate, inspect, push and rm", async () => {
    const part = `${open.host}/found/box:1`
    const list = `${open.host}/found/list:1`
    await client.ok("tag", "bb", part)
    await client.ok("push", part)
    expect(await client.ok("manifest", "create", "--insecure", list, part)).toBe(`Created manifest list ${list}`)
    await client.ok("manifest", "annotate", "--variant", "v8", list, part)
    expect(await client.ok("manifest", "inspect", "--insecure", list)).toContain('"variant": "v8"')
    expect(await client.ok("manifest", "push", "--insecure", list)).toMatch(/\nsha256:[0-9a-f]{64}$/)
    await client.ok("manifest", "rm", list)
    expect((await client.run(["manifest", "rm", list])).status).toBe(1)
  })
})
