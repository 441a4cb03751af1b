// Asking registries without pulling: search and distribution, as docker's client and dhow's see them.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import type { AuthConfig, DistributionInspect } from "../../src/wire/registry.ts"
import { dhow as dhowOf, docker, dockerProgram } from "../support/docker.ts"
import { busyboxTar, TestEngine } from "../support/engine.ts"
import { hasRegistry, TestRegistry } from "../support/registry.ts"
import { TokenServer } from "../support/token-server.ts"

const isReady = hasRegistry && Bun.which("openssl") !== null && (await Bun.file("/bin/busybox").exists())

describe.skipIf(!isReady)("search and distribution", () => {
  const engine = new TestEngine()
  const dhow = dhowOf(engine)
  let registry: TestRegistry
  let guarded: TestRegistry
  let tokens: TokenServer
  const old = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      const url = new URL(request.url)
      if (url.pathname !== "/v1/search") return new Response("", { status: url.pathname === "/v2/" ? 200 : 404 })
      const results = [
        {
          name: "debian",
          description: "The\nuniversal operating system, with a text that is long",
          star_count: 5000,
          is_official: true,
        },
        { name: `${url.searchParams.get("q")}/own`, description: "Not\u001b[31m official", star_count: 5 },
        { name: 7 },
      ]
      return Response.json({ num_results: 3, results })
    },
  })

  beforeAll(async () => {
    registry = await TestRegistry.start()
    tokens = new TokenServer({ alice: "land" })
    guarded = await TestRegistry.start({ token: tokens.settings })
    await engine.start()
    const name = `${registry.host}/team/box:1`
    expect((await dhow.run(["import", "-", name], { stdin: busyboxTar() })).status).toBe(0)
    for (const path of ["team/box:1", "team/chest:1", "other:2"]) {
      await dhow.ok("tag", name, `${registry.host}/${path}`)
      await dhow.ok("push", `${registry.host}/${path}`)
    }
    await dhow.ok("tag", name, `${guarded.host}/secret:1`)
  })
  afterAll(async () => {
    await engine.destroy()
    await old.stop(true)
    await registry?.stop()
    await guarded?.stop()
    await tokens?.stop()
  })

  test("a registry with the old search is asked that way", async () => {
    const host = `127.0.0.1:${old.port}`
    expect(await dhow.ok("search", `${host}/deb`)).toBe(
      [
        "NAME      DESCRIPTION                                     STARS     OFFICIAL",
        "debian    The universal operating system, with a text …   5000      [OK]",
        "deb/own   Not [31m official                               5         ",
      ].join("\n"),
    )
    const rows = await dhow.ok("search", "--format", "json", "--filter", "is-official=true", `${host}/deb`)
    expect(rows).toBe(
      '{"Description":"The universal operating system, with a text …","IsOfficial":"true","Name":"debian","StarCount":"5000"}',
    )
    const few = await dhow.ok("search", "--filter", "stars=6", "--format", "{{.Name}} {{.IsOfficial}}", `${host}/deb`)
    expect(few).toBe("debian [OK]")
  })

  test("a registry without it is looked through", async () => {
    const names = async (...args: string[]) => (await dhow.ok("search", "--format", "{{.Name}}", ...args)).split("\n")
    expect(await names(`${registry.host}/team`)).toEqual([`${registry.host}/team/box`, `${registry.host}/team/chest`])
    expect(await names(`${registry.host}/`)).toHaveLength(3)
    expect(await names("--limit", "1", `${registry.host}/`)).toHaveLength(1)
    expect(await dhow.ok("search", `${registry.host}/nothing`)).toBe("NAME      DESCRIPTION   STARS     OFFICIAL")
  })

  test("what is wrong with a search is said in Docker's words", async () => {
    const said = async (...args: string[]) => (await dhow.run(["search", ...args])).stderr.trim()
    expect(await said("--limit", "101", "x")).toBe("dhow: limit 101 is outside the range of [1, 100]")
    expect(await said("--filter", "color=red", "x")).toBe("dhow: invalid filter 'color'")
    expect(await said("--filter", "stars=many", "x")).toBe("dhow: invalid filter 'stars=many'")
    expect(await said("https://x/y")).toBe(
      "dhow: invalid repository name: repository name (https://x/y) should not have a scheme",
    )
    const closed = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("", { status: 404 }) })
    expect(await said(`127.0.0.1:${closed.port}/x`)).toContain(
      `dhow: Registry "127.0.0.1:${closed.port}" cannot be searched: it offers neither a search nor a list of its repositories`,
    )
    await closed.stop(true)
  })

  test.skipIf(dockerProgram === undefined)("docker's client searches too, with its login", async () => {
    const client = docker(engine)
    expect(await client.ok("search", "--format", "{{.Name}}", `${registry.host}/other`)).toBe(`${registry.host}/other`)
    const anonymous = await client.run(["search", `${guarded.host}/secret`])
    expect(anonymous.status).toBe(1)
    const login = ["login", "-u", "alice", "--password-stdin", guarded.host]
    expect((await client.run(login, { stdin: "land" })).status).toBe(0)
    await dhow.ok("push", `${guarded.host}/secret:1`)
    expect(await client.ok("search", "--format", "{{.Name}}", `${guarded.host}/secret`)).toBe(`${guarded.host}/secret`)
    await client.ok("logout", guarded.host)
  })

  test("GET /distribution gives the descriptor and the platforms of what the registry has", async () => {
    const path = `/v1.51/distribution/${registry.host}/team/box:1/json`
    const found = await engine.must<DistributionInspect>("GET", path)
    const { Architecture } = await engine.must<{ Architecture: string }>(
      "GET",
      `/images/${registry.host}/team/box:1/json`,
    )
    expect(found).toEqual({
      Descriptor: {
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
        size: expect.any(Number),
      },
      Platforms: [{ architecture: Architecture, os: "linux" }],
    })
    const pinned = `${registry.host}/team/box@${found.Descriptor.digest}`
    expect(await engine.must<DistributionInspect>("GET", `/distribution/${pinned}/json`)).toEqual(found)
    const missing = await engine.call("GET", `/distribution/${registry.host}/team/box:9/json`)
    expect(missing).toMatchObject({ status: 404 })
    expect((missing.json as { message: string }).message).toContain("manifest unknown")
    const id = await engine.call("GET", `/distribution/${"a".repeat(64)}/json`)
    expect((id.json as { message: string }).message).toBe("no manifest found for full image ID")
  })

  test("POST /auth wants a body, and an address that is one", async () => {
    expect((await engine.call("POST", "/auth")).status).toBe(400)
    const auth: AuthConfig = { username: "a", password: "b", serveraddress: "no address" }
    const refused = await engine.call("POST", "/auth", auth)
    expect(refused.status).toBe(400)
    expect(refused.text).toContain("unable to parse server address")
    const none = await engine.call("POST", "/auth", { ...auth, serveraddress: "127.0.0.1:1" })
    expect(none.status).toBe(503)
    expect(none.text).toContain("connection refused")
  })
})
