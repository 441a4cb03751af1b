// The registries of the configuration, in a running daemon: mirrors of any registry, with logins of their own, rewrites,
// blocked names, blocks of insecure addresses; read again when the file changes.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdirSync, writeFileSync } from "node:fs"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { dhow as dhowOf, docker, dockerProgram } from "../support/docker.ts"
import { busyboxTar, TestEngine } from "../support/engine.ts"
import { hasRegistry, Relay, TestRegistry } from "../support/registry.ts"

const isReady = hasRegistry && (await Bun.file("/bin/busybox").exists())
/** An address of this machine that is not loopback. */
const outside = Object.values((await import("node:os")).networkInterfaces())
  .flatMap((found) => found ?? [])
  .find(({ family, internal }) => family === "IPv4" && !internal)?.address

describe.skipIf(!isReady)("registries of the configuration", () => {
  let origin: TestRegistry
  let mirror: TestRegistry
  let relay: Relay
  let relayed: string
  let engine: TestEngine
  let file: string
  const dhow = () => dhowOf(engine)
  const configure = (settings: unknown): void => writeFileSync(file, JSON.stringify(settings))

  beforeAll(async () => {
    origin = await TestRegistry.start()
    mirror = await TestRegistry.start({ users: { reader: "secret" } })
    relay = new Relay(mirror.host)
    relayed = await relay.listen()
    const root = new TestEngine().root
    mkdirSync(root, { recursive: true })
    file = join(root, "daemon.json")
    configure({})
    engine = new TestEngine(["--config-file", file])
    await engine.start()
    const name = `${origin.host}/team/box:1`
    expect((await dhow().run(["import", "-", name], { stdin: busyboxTar() })).status).toBe(0)
    await dhow().ok("push", name)
    await dhow().ok("tag", name, `${mirror.host}/cache/team/box:1`)
    const login = ["login", "-u", "reader", "--password-stdin", mirror.host]
    expect((await dhow().run(login, { stdin: "secret" })).status).toBe(0)
    await dhow().ok("push", `${mirror.host}/cache/team/box:1`)
    await dhow().ok("logout", mirror.host)
    await forget()
  })
  afterAll(async () => {
    await engine.destroy()
    await origin?.stop()
    await mirror?.stop()
    relay?.close()
    Bun.spawnSync(["rm", "-rf", file.replace(/\/daemon\.json$/, "")])
  })

  async function forget(): Promise<void> {
    for (const name of [`${origin.host}/team/box:1`, `${mirror.host}/cache/team/box:1`]) await dhow().run(["rmi", name])
  }

  test("a mirror of any registry is asked first, with its own login, from the next pull on", async () => {
    const auth = join(engine.root, "mirror-auth.json")
    writeFileSync(auth, JSON.stringify({ auths: { [relayed]: { auth: btoa("reader:secret") } } }))
    const prefixes = { [`${origin.host}/team`]: { mirrors: [`${relayed}/cache/team`] } }
    configure({ registries: { prefixes, hosts: { [relayed]: { auth } } } })
    expect(await dhow().ok("pull", `${origin.host}/team/box:1`)).toContain("Downloaded newer image")
    expect(relay.blobs().length).toBeGreaterThan(0)
    await forget()
    // Without the login the mirror refuses, and the registry itself is asked.
    relay.seen.length = 0
    configure({ registries: { prefixes } })
    expect(await dhow().ok("pull", `${origin.host}/team/box:1`)).toContain("Downloaded newer image")
    expect(relay.blobs()).toEqual([])
    await forget()
  })

  test("names are rewritten, blocked, and led to the default registry", async () => {
    configure({
      registries: {
        default: origin.host,
        prefixes: { "old.example": { rewrite: `${origin.host}/team` }, "evil.example": { blocked: true } },
      },
    })
    await dhow().ok("pull", "old.example/box:1")
    const blocked = await dhow().run(["pull", "evil.example/x"])
    expect(blocked.stderr).toContain('Registry access to "evil.example/x" is blocked')
    expect((await dhow().run(["login", "-u", "a", "-p", "b", "evil.example"])).stderr).toContain("is blocked")
    await dhow().ok("pull", "team/box:1")
    await dhow().ok("rmi", "old.example/box:1", "team/box:1")
  })

  test("a slip in the file leaves what was read before, and is logged", async () => {
    configure({ registries: { default: origin.host } })
    await dhow().ok("pull", "team/box:1")
    configure({ registries: { default: "https://no" } })
    await dhow().ok("pull", "team/box:1")
    expect(engine.log()).toContain('key \\"registries\\": registry \\"https://no\\" is not a host')
    await dhow().ok("rmi", "team/box:1")
  })

  test("info shows them as Docker does", async () => {
    configure({ "insecure-registries": ["lab.example:5000", "10.9.0.0/16"], "registry-mirrors": ["https://m.example"] })
    const { RegistryConfig } = await engine.must<{ RegistryConfig: Record<string, unknown> }>("GET", "/info")
    expect(RegistryConfig).toEqual({
      InsecureRegistryCIDRs: ["::1/128", "127.0.0.0/8", "10.9.0.0/16"],
      IndexConfigs: {
        "docker.io": { Name: "docker.io", Mirrors: ["https://m.example/"], Secure: true, Official: true },
        "lab.example:5000": { Name: "lab.example:5000", Mirrors: [], Secure: false, Official: false },
      },
      Mirrors: ["https://m.example/"],
    })
    const said = await dhow().ok("info")
    expect(said).toContain(" Insecure Registries:\n  lab.example:5000\n  ::1/128\n  127.0.0.0/8\n  10.9.0.0/16\n")
    expect(said).toContain(" Registry Mirrors:\n  https://m.example/")
    if (dockerProgram !== undefined) expect(await docker(engine).ok("info")).toContain("10.9.0.0/16")
  })

  test.skipIf(outside === undefined)(
    "a registry without TLS is spoken to only where its block of addresses says so",
    async () => {
      const far = createServer((request, response) => {
        if (request.url === "/v2/") return void response.end("{}")
        response.writeHead(404, { "content-type": "application/json" })
        response.end(JSON.stringify({ errors: [{ code: "NAME_UNKNOWN", message: "there" }] }))
      })
      await listen(far, outside!)
      const host = `${outside}:${(far.address() as AddressInfo).port}`
      try {
        configure({})
        const refused = await dhow().run(["pull", `${host}/x`])
        expect(refused.stderr).toContain(`If it speaks plain HTTP, add "${host}" to "insecure-registries"`)
        configure({ "insecure-registries": [`${outside}/32`] })
        expect((await dhow().run(["pull", `${host}/x`])).stderr).toContain("name unknown: there")
      } finally {
        far.close()
      }
    },
  )

  test("a proxy is used but for NO_PROXY and loopback", async () => {
    const seen: string[] = []
    const proxy = createServer((_request, response) => response.writeHead(502).end())
    proxy.on("connect", (request, socket) => {
      seen.push(request.url ?? "")
      socket.end("HTTP/1.1 502 No\r\n\r\n")
    })
    await listen(proxy, "127.0.0.1")
    const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
    const behind = new TestEngine(["--config-file", file])
    try {
      configure({})
      await behind.start({ HTTPS_PROXY: address, HTTP_PROXY: address, NO_PROXY: "direct.invalid,10.0.0.0/8" })
      const pull = async (name: string) => (await dhowOf(behind).run(["pull", name])).stderr
      await pull("far.invalid/x")
      expect(seen).toContain("far.invalid:443")
      expect(await pull("direct.invalid/x")).toContain("no such host")
      expect(await pull(`${origin.host}/none`)).toContain("not found")
      expect(seen.every((name) => name === "far.invalid:443")).toBe(true)
      expect(await behind.must("GET", "/info")).toMatchObject({
        HttpsProxy: address,
        NoProxy: "direct.invalid,10.0.0.0/8",
      })
    } finally {
      await behind.destroy()
      proxy.closeAllConnections()
      proxy.close()
    }
  })
})

async function listen(server: Server, address: string): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, address, resolve))
}
