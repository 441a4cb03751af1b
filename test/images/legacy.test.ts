// Archives as docker save made them before 1.10, and files that import fetches by their address.
import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import type { TarInput } from "../../src/lib/tar/writer.ts"
import { digestOf } from "../../src/oci/digest.ts"
import { type Fixture, file, never, openFixture, streamFrom, tarOf } from "./fixture.ts"

const [BASE, TOP, OTHER] = ["a".repeat(64), "b".repeat(64), "c".repeat(64)]
const REPOSITORIES = JSON.stringify({ "local/old": { latest: TOP, v1: TOP }, base: { "1": BASE } })

describe("an archive from before Docker 1.10", () => {
  let f: Fixture
  beforeEach(() => {
    f = openFixture()
  })
  afterEach(() => f[Symbol.dispose]())

  const layer = async (id: string, document: object, name: string): Promise<TarInput[]> => [
    file(`${id}/VERSION`, "1.0"),
    file(`${id}/json`, JSON.stringify({ id, ...document })),
    file(`${id}/layer.tar`, await tarOf([file(name, `content of ${name}`)])),
  ]
  const base = { created: "2015-01-02T03:04:05.6Z", os: "linux", architecture: "amd64", Size: 5 }
  const two = async (more: object = {}): Promise<TarInput[]> => [
    ...(await layer(BASE, { ...base, container_config: { Cmd: ["/bin/sh", "-c", "#(nop) ADD <x>"] } }, "base")),
    ...(await layer(
      TOP,
      { ...base, parent: BASE, author: "me", config: { Cmd: ["/base"], Env: null }, comment: "a & b", ...more },
      "top",
    )),
  ]
  const load = async (...entries: readonly TarInput[]): Promise<void> =>
    f.images.load(streamFrom(await tarOf(entries)), { quiet: true, progress: f.progress, signal: never() })
  const refused = async (entries: readonly TarInput[], words: string): Promise<void> => {
    await expect(load(...entries)).rejects.toThrow(words)
    expect(await f.images.list({ all: true, filters: new Map(), sharedSize: false, manifests: false })).toEqual([])
    expect([...f.content.list()]).toEqual([])
  }

  test("is loaded with its names, its chain of layers, its history, and the id that it has in Docker", async () => {
    await load(...(await two()), file("repositories", REPOSITORIES))
    expect(f.lines.map(({ stream }) => stream).sort()).toEqual([
      "Loaded image: base:1\n",
      "Loaded image: local/old:latest\n",
      "Loaded image: local/old:v1\n",
    ])
    const image = f.images.resolve("local/old:v1")
    const ids = await Promise.all(
      ["base", "top"].map(async (name) => digestOf(await tarOf([file(name, `content of ${name}`)]))),
    )
    expect(image.layers).toEqual(ids)
    // As Go writes it: sorted by name, some letters escaped.
    const created = `"created":"2015-01-02T03:04:05.6Z"`
    const history = `[{${created},"created_by":"/bin/sh -c #(nop) ADD \\u003cx\\u003e"},{${created},"author":"me","comment":"a \\u0026 b"}]`
    const text =
      `{"architecture":"amd64","author":"me","comment":"a \\u0026 b","config":{"Cmd":["/base"],"Env":null},${created},` +
      `"history":${history},"os":"linux","rootfs":{"type":"layers","diff_ids":${JSON.stringify(ids)}}}`
    expect(image.id).toBe(digestOf(Buffer.from(text)))
    expect(image.config.config?.Cmd).toEqual(["/base"])
  })

  test("without names is loaded by its id, the steps below it not", async () => {
    await load(...(await two()))
    expect(f.lines).toEqual([{ stream: expect.stringMatching(/^Loaded image ID: sha256:[0-9a-f]{64}\n$/) }])
  })

  test("that is not whole, or not honest, leaves nothing", async () => {
    await refused(
      [...(await two()), file("repositories", JSON.stringify({ x: { y: OTHER } }))],
      `invalid target ID: ${OTHER}`,
    )
    await refused([...(await two()), file("repositories", "[]")], '"repositories" in the image archive')
    await refused(
      (await two()).filter(({ path }) => path !== `${BASE}/layer.tar`),
      `lacks "${BASE}/layer.tar"`,
    )
    await refused(
      (await two()).filter(({ path }) => !path.startsWith(BASE)),
      `lacks the layer "${BASE}"`,
    )
    await refused(await layer(BASE, { parent: BASE }, "x"), "in a circle")
    await refused([...(await layer(BASE, { parent: TOP }, "x")), ...(await two()).slice(3)], "in a circle")
    await refused(await layer(BASE, { os: "windows" }, "x"), "cannot load windows image on linux")
    await refused(await layer(BASE, { config: 5 }, "x"), 'has a field "config" of the wrong type')
    await refused([file(`${BASE}/json`, "{"), file(`${BASE}/layer.tar`, "")], "is not JSON")
    await refused([...(await two()), file("repositories", JSON.stringify({ "UPPER CASE": { y: TOP } }))], "UPPER CASE")
  })
})

describe("a file that import fetches", () => {
  let f: Fixture
  let server: Bun.Server<undefined>
  let tar: Uint8Array<ArrayBuffer>
  const asked: string[] = []
  beforeEach(async () => {
    f = openFixture()
    asked.length = 0
    tar = await tarOf([file("greeting", "hello"), file("filling", "filling ".repeat(400_000))])
    server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch(request) {
        const { pathname } = new URL(request.url)
        asked.push(`${request.url.replace(/^http:\/\/127.0.0.1:\d+/, "")} ${request.headers.get("authorization")}`)
        if (pathname === "/root.tar" || request.url.startsWith("http://files.example/")) return new Response(tar)
        if (pathname === "/moved") return Response.redirect("/root.tar")
        if (pathname === "/page") return new Response("<html>no tar at all</html>".repeat(100))
        return new Response("not here\n", { status: 404 })
      },
    })
  })
  afterEach(() => {
    server.stop(true)
    f[Symbol.dispose]()
  })
  const run = (address: string, changes: readonly string[] = []) =>
    f.images.import({ address }, { reference: "fetched:1", changes, progress: f.progress, signal: never() })

  test("becomes an image, with progress, by an address without a scheme and through redirects too", async () => {
    const { id } = await run(`127.0.0.1:${server.port}/root.tar`, ["LABEL a=b"])
    expect(f.images.resolve("fetched:1").id as string).toBe(id)
    expect(f.lines[0]).toEqual({ status: `Downloading from http://127.0.0.1:${server.port}/root.tar` })
    expect(f.lines.at(-1)).toEqual({
      status: "Importing",
      progressDetail: { current: tar.length, total: tar.length },
    })
    await run(`http://user:s%20cret@127.0.0.1:${server.port}/moved`)
    expect(asked).toContain(`/moved Basic ${Buffer.from("user:s cret").toString("base64")}`)
    expect(JSON.stringify(f.lines)).not.toContain("cret")
  })

  test("is refused in Docker's words where there is none, and by its size or kind", async () => {
    const at = `http://127.0.0.1:${server.port}`
    await expect(run(`${at}/none`)).rejects.toThrow(`failed to GET ${at}/none with status 404 Not Found: not here`)
    await expect(run("no-such-host.invalid/x")).rejects.toThrow("dial tcp: lookup no-such-host.invalid: no such host")
    await expect(run("ftp://127.0.0.1/x")).rejects.toThrow('unsupported protocol scheme "ftp"')
    await expect(run("")).rejects.toThrow("invalid address")
    for (const [length, words] of [
      [999_999_999_999_999, "longer than the"],
      [10_000, "broke off"],
    ] as const) {
      const head = `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`
      const socket = { data: (client: { end(text: string): void }) => client.end(`${head}x`) }
      using liar = Bun.listen({ hostname: "127.0.0.1", port: 0, socket })
      await expect(run(`http://127.0.0.1:${liar.port}/x`)).rejects.toThrow(words)
    }
    await expect(run(`${at}/page`)).rejects.toThrow()
    await expect(run(`${at}/root.tar`, ["FROM x"])).rejects.toThrow("FROM")
    expect(asked).toHaveLength(2)
    server.stop(true)
    await expect(run(`${at}/root.tar`)).rejects.toThrow(`Get "${at}/root.tar": connection refused`)
    expect([...f.content.list()]).toEqual([])
  })

  test("comes through the proxy of the daemon's environment", async () => {
    process.env["HTTP_PROXY"] = `http://127.0.0.1:${server.port}`
    try {
      await run("http://files.example/root.tar")
    } finally {
      delete process.env["HTTP_PROXY"]
    }
    expect(asked).toEqual(["http://files.example/root.tar null"])
  })
})
