// The daemon with a registry that wants a password, as docker's own client and dhow's see it.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { busyboxTar, TestEngine } from "../support/engine.ts"
import { hasRegistry, TestRegistry } from "../support/registry.ts"

const docker = Bun.which("docker")
const isReady = hasRegistry && docker !== null && (await Bun.file("/bin/busybox").exists())

describe.skipIf(!isReady)("pull and push through the daemon", () => {
  let registry: TestRegistry
  let open: TestRegistry
  const engine = new TestEngine()
  let configuration: string

  beforeAll(async () => {
    registry = await TestRegistry.start({ users: { alice: "wonder:land" } })
    open = await TestRegistry.start()
    await engine.start()
    configuration = join(engine.root, "docker-config")
    mkdirSync(configuration)
    const auth = Buffer.from("alice:wonder:land").toString("base64")
    writeFileSync(join(configuration, "config.json"), JSON.stringify({ auths: { [registry.host]: { auth } } }))
  })
  afterAll(async () => {
    await engine.destroy()
    await registry.stop()
    await open.stop()
  })

  async function run(argv: readonly string[], input?: Uint8Array): Promise<{ status: number; out: string }> {
    const child = Bun.spawn([...argv], {
      stdin: input ?? "ignore",
      stdout: "pipe",
      stderr: "pipe",
      env: { ...process.env, DOCKER_HOST: `unix://${engine.socket}`, DOCKER_CONFIG: configuration },
    })
    const [out, error, status] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ])
    return { status, out: out + error }
  }
  const main = join(import.meta.dir, "../../src/main.ts")
  const dhow = (...args: readonly string[]) => run([process.execPath, main, "-H", `unix://${engine.socket}`, ...args])

  test("docker pushes with its stored login, pulls again, and runs what came", async () => {
    const name = `${registry.host}/team/busybox:1`
    expect(await run([docker!, "import", "-", name], busyboxTar())).toMatchObject({ status: 0 })
    const pushed = await run([docker!, "push", name])
    expect(pushed).toMatchObject({ status: 0 })
    expect(pushed.out).toMatch(/1: digest: sha256:[0-9a-f]{64} size: \d+/)
    expect(await run([docker!, "rmi", name])).toMatchObject({ status: 0 })
    const pulled = await run([docker!, "pull", name])
    expect(pulled.out).toContain(`Status: Downloaded newer image for ${name}`)
    const said = await run([docker!, "run", "--rm", "--network", "none", name, "echo", "from afar"])
    expect(said).toEqual({ status: 0, out: "from afar\n" })
  })

  test("dhow pushes and pulls, and says in one line what is refused", async () => {
    const name = `${open.host}/box:1`
    expect(await run([docker!, "tag", `${registry.host}/team/busybox:1`, name])).toMatchObject({ status: 0 })
    expect((await dhow("push", name)).out).toContain("Pushed")
    expect((await dhow("pull", name)).out).toContain(`Status: Image is up to date for ${name}`)
    const theirs = `${registry.host}/team/busybox:1`
    expect((await dhow("pull", theirs)).out).toContain(`Status: Image is up to date for ${theirs}`)
    const refused = await dhow("--config", join(configuration, "none"), "pull", theirs)
    expect(refused.status).toBe(1)
    expect(refused.out).toContain("no basic auth credentials\n")
    expect(refused.out).toContain(`Log in first: dhow login ${registry.host}\n`)
    const missing = await dhow("pull", `${open.host}/box:9`)
    expect(missing.out).toContain(`manifest for ${open.host}/box:9 not found: manifest unknown`)
  })
})
