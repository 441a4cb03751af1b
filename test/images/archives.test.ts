// Archives in and out, with a real store; skopeo reads what save writes where it is installed.
import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { existsSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync, zstdCompressSync } from "node:zlib"
import { type Digest, digestOf, hexOf } from "../../src/oci/digest.ts"
import { bytesOf, type Fixture, file, filters, mountPoint, never, openFixture, streamFrom, tarOf } from "./fixture.ts"

const LISTING = { all: false, filters: filters(), sharedSize: false, manifests: false }

describe("images", () => {
  let f: Fixture
  beforeEach(() => {
    f = openFixture()
  })
  afterEach(() => f[Symbol.dispose]())

  const load = (bytes: Uint8Array) =>
    f.images.load(streamFrom(bytes), { quiet: true, progress: f.progress, signal: never() })
  const importTar = async (reference: string, changes: readonly string[] = [], text = "hello") => {
    const tar = await tarOf([file("greeting", text)])
    return await f.images.import(streamFrom(tar), { reference, changes, progress: f.progress, signal: never() })
  }
  const blobs = (): Digest[] => [...f.content.list()].map((blob) => blob.digest)

  /** An OCI layout of one layer for each architecture, under one index. */
  async function layout(compress: (bytes: Uint8Array) => Uint8Array, name: string): Promise<Uint8Array> {
    const files = new Map<string, Uint8Array>()
    const put = (bytes: Uint8Array, mediaType: string) => {
      files.set(`blobs/sha256/${hexOf(digestOf(bytes))}`, bytes)
      return { mediaType, digest: digestOf(bytes), size: bytes.length }
    }
    const json = (value: unknown) => Buffer.from(JSON.stringify(value))
    const manifests = []
    for (const architecture of ["amd64", "arm64"]) {
      const tar = await tarOf([file("arch", architecture)])
      const rootfs = { type: "layers", diff_ids: [digestOf(tar)] }
      const config = put(json({ architecture, os: "linux", rootfs }), "application/vnd.oci.image.config.v1+json")
      const layers = [put(compress(tar), "application/vnd.oci.image.layer.v1.tar+gzip")]
      const manifest = put(json({ schemaVersion: 2, config, layers }), "application/vnd.oci.image.manifest.v1+json")
      manifests.push({ ...manifest, platform: { os: "linux", architecture } })
    }
    const index = put(json({ schemaVersion: 2, manifests }), "application/vnd.oci.image.index.v1+json")
    const top = { ...index, annotations: { "org.opencontainers.image.ref.name": name } }
    return await tarOf([
      ...[...files].map(([path, bytes]) => file(path, bytes)),
      file("index.json", json({ schemaVersion: 2, manifests: [top] })),
      file("oci-layout", '{"imageLayoutVersion":"1.0.0"}'),
    ])
  }

  test("import() makes an image of one layer, with changes, in every compression", async () => {
    const tar = await tarOf([file("greeting", "hello")])
    for (const bytes of [tar, gzipSync(tar), zstdCompressSync(tar)]) {
      const { id } = await f.images.import(streamFrom(bytes), {
        reference: "local/base",
        message: "from a test",
        changes: ["CMD cat /greeting", "ENV A=b"],
        progress: f.progress,
        signal: never(),
      })
      const image = f.images.resolve("local/base:latest")
      expect(image.id).toBe(id as Digest)
      expect(image.layers).toEqual([digestOf(tar)])
      expect(image.config.config).toEqual({ Cmd: ["/bin/sh", "-c", "cat /greeting"], Env: ["A=b"] })
    }
    const inspected = await f.images.inspect("local/base")
    expect(inspected).toMatchObject({ RepoTags: ["local/base:latest"], Comment: "from a test", RepoDigests: [] })
    expect(await f.images.history("local/base")).toMatchObject([
      { Comment: "from a test", Tags: ["local/base:latest"] },
    ])
    expect(f.events).toContain("tag local/base:latest")
  })

  test("import() of bytes that are no tarball leaves nothing", async () => {
    const broken = Buffer.from("this is no tarball, however long it goes on. ".repeat(100))
    await expect(
      f.images.import(streamFrom(broken), { changes: [], progress: f.progress, signal: never() }),
    ).rejects.toThrow()
    await f.collector.collect()
    expect(blobs()).toEqual([])
  })

  test("save() and load() give the same image with the same digests", async () => {
    const { id } = await importTar("local/base:1")
    await f.images.tag("local/base:1", "local/base:2")
    const saved = await bytesOf(await f.images.save(["local/base"], { signal: never() }))
    const before = f.images.resolve("local/base:1")
    await f.images.remove("local/base:1", { force: false, prune: true })
    await f.images.remove("local/base:2", { force: false, prune: true })
    expect(blobs()).toEqual([])
    expect(readdirSync(join(f.root, "content/sha256"))).toEqual([])
    for (const bytes of [saved, gzipSync(saved), zstdCompressSync(saved)]) {
      await load(bytes)
      expect(f.images.resolve("local/base:2")).toEqual(before)
      expect(f.images.resolve("local/base:1").id).toBe(id as Digest)
    }
    expect(f.lines).toContainEqual({ stream: "Loaded image: local/base:1\n" })
    const again = await bytesOf(await f.images.save(["local/base"], { signal: never() }))
    expect(digestOf(again)).toBe(digestOf(saved))
  })

  test("save() writes what skopeo reads, as OCI layout and as docker-archive", async () => {
    if (spawnSync("skopeo", ["--version"]).status !== 0) return
    const { id } = await importTar("local/base:1", ["LABEL a=b"])
    const path = join(f.root, "saved.tar")
    writeFileSync(path, await bytesOf(await f.images.save(["local/base:1", "local/base:1"], { signal: never() })))
    for (const transport of ["oci-archive", "docker-archive"]) {
      const { stdout, stderr } = spawnSync("skopeo", ["inspect", `${transport}:${path}`], { encoding: "utf8" })
      expect(stderr).toBe("")
      expect(JSON.parse(stdout)).toMatchObject({ Os: "linux", Labels: { a: "b" } })
    }
    for (const [transport, name] of [
      ["docker-archive", ":copied:1"],
      ["oci-archive", ":copied:2"],
    ]) {
      const copy = join(f.root, `${transport}.tar`)
      const args = ["copy", "--insecure-policy", `docker-archive:${path}`, `${transport}:${copy}${name}`]
      expect(spawnSync("skopeo", args, { encoding: "utf8" }).stderr).toBe("")
      await load(new Uint8Array(await Bun.file(copy).arrayBuffer()))
    }
    expect(f.images.resolve("copied:1").id).toBe(id as Digest)
    expect(f.images.resolve("copied:2").layers).toEqual(f.images.resolve("copied:1").layers)
  })

  test("load() keeps an index of several platforms whole, and chooses the host's", async () => {
    for (const compress of [gzipSync, zstdCompressSync, (bytes: Uint8Array) => bytes]) {
      await f.images.remove("multi", { force: false, prune: true }).catch(() => undefined)
      await load(await layout(compress, "multi:latest"))
    }
    const arm = f.images.resolve("multi", { os: "linux", architecture: "arm64" })
    const amd = f.images.resolve("multi", { os: "linux", architecture: "amd64" })
    expect(f.images.resolve("multi").id).toBe(process.arch === "arm64" ? arm.id : amd.id)
    const rows = await f.images.list({ ...LISTING, manifests: true })
    expect(rows.filter((row) => row.RepoTags.includes("multi:latest"))).toHaveLength(1)
    expect(rows[0]?.Manifests).toHaveLength(2)
    const saved = await bytesOf(await f.images.save(["multi"], { signal: never() }))
    await f.images.remove("multi", { force: false, prune: true })
    await f.images.prune(filters())
    expect(blobs()).toEqual([])
    await load(saved)
    expect(f.images.resolve("multi", { os: "linux", architecture: "arm64" }).id).toBe(arm.id)
  })

  test("load() of a docker-archive follows links between layers and old paths", async () => {
    const tar = await tarOf([file("a", "1")])
    const rootfs = { type: "layers", diff_ids: [digestOf(tar), digestOf(tar)] }
    const config = Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", rootfs }))
    const name = `${hexOf(digestOf(config))}.json`
    const archive = await tarOf([
      { path: "one/layer.tar", type: "file", content: tar },
      { path: "two/layer.tar", type: "symlink", linkPath: "../one/layer.tar" },
      file(name, config),
      file(
        "manifest.json",
        JSON.stringify([{ Config: name, RepoTags: null, Layers: ["one/layer.tar", "two/layer.tar"] }]),
      ),
    ])
    await load(archive)
    expect(f.lines).toEqual([{ stream: `Loaded image ID: ${digestOf(config)}\n` }])
    expect(f.images.resolve(digestOf(config)).layers).toHaveLength(2)
  })

  test("load() of a hostile archive says why and leaves nothing", async () => {
    const tar = await tarOf([file("a", "1")])
    const config = Buffer.from(
      JSON.stringify({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [digestOf("other")] } }),
    )
    const manifest = (layers: readonly string[]) =>
      JSON.stringify([{ Config: "c.json", RepoTags: ["x:1"], Layers: layers }])
    const cases: readonly (readonly [string, Uint8Array])[] = [
      [
        "invalid diffID for layer 0",
        await tarOf([file("c.json", config), file("l", tar), file("manifest.json", manifest(["l"]))]),
      ],
      ["length mismatch", await tarOf([file("c.json", config), file("manifest.json", manifest([]))])],
      ["lacks the layer", await tarOf([file("c.json", config), file("manifest.json", manifest(["../../etc/passwd"]))])],
      ["lacks the configuration", await tarOf([file("manifest.json", manifest([]))])],
      ["does not match its digest", await tarOf([file(`blobs/sha256/${"0".repeat(64)}`, "x")])],
      ["does not match its digest", await tarOf([file(`blobs/sha256/${"0".repeat(64)}`, gzipSync(tar))])],
      ["neither", tar],
      ["not JSON", await tarOf([file("manifest.json", "{")])],
    ]
    for (const [message, bytes] of cases) await expect(load(bytes)).rejects.toThrow(message)
    await expect(load((await layout(gzipSync, "multi:1")).subarray(0, 4000))).rejects.toThrow()
    await f.collector.collect()
    expect(blobs()).toEqual([])
    expect(await f.images.list(LISTING)).toEqual([])
  })

  test("load() moves a name, and the old image is left without one", async () => {
    await importTar("local/base:1", [], "new")
    const saved = await bytesOf(await f.images.save(["local/base:1"], { signal: never() }))
    await f.images.remove("local/base:1", { force: false, prune: true })
    const old = await importTar("local/base:1", [], "old")
    await load(saved)
    expect(f.lines.map((line) => line.stream)).toEqual([
      `The image local/base:1 already exists, renaming the old one with ID ${old.id} to empty string\n`,
      "Loaded image: local/base:1\n",
    ])
    expect(await f.images.list({ ...LISTING, filters: filters({ dangling: ["true"] }) })).toMatchObject([
      { Id: old.id, RepoTags: [], RepoDigests: [] },
    ])
    const pruned = await f.images.prune(filters())
    expect(pruned.ImagesDeleted).toMatchObject([{ Deleted: old.id }, { Deleted: expect.any(String) }])
    expect(pruned.SpaceReclaimed).toBeGreaterThan(0)
  })

  test("list() filters as Docker does", async () => {
    const one = await importTar("local/one:1", ["LABEL kind=a"], "one")
    const two = await importTar("local/two:1", ["LABEL kind=b"], "two")
    const list = async (given: Record<string, readonly string[]>) =>
      (await f.images.list({ ...LISTING, filters: filters(given) })).flatMap((row) => row.RepoTags).sort()
    expect(await list({ reference: ["local/o*"] })).toEqual(["local/one:1"])
    expect(await list({ reference: ["*"] })).toEqual([])
    expect(await list({ label: ["kind=b"] })).toEqual(["local/two:1"])
    expect(await list({ since: [one.id] })).toEqual(["local/two:1"])
    expect(await list({ before: [two.id] })).toEqual(["local/one:1"])
    expect(await list({ until: ["1h"] })).toEqual([])
    await expect(f.images.list({ ...LISTING, filters: filters({ colour: ["red"] }) })).rejects.toThrow(
      "invalid filter 'colour'",
    )
  })

  test("remove() answers conflicts with Docker's words", async () => {
    const { id } = await importTar("local/base:1")
    const short = id.slice(7, 19)
    const container = "f".repeat(64)
    f.containers.push({ id: container, imageId: id, running: true })
    const remove = (reference: string, force = false) => f.images.remove(reference, { force, prune: true })
    await expect(remove("local/base:1")).rejects.toThrow(
      `conflict: unable to remove repository reference "local/base:1" (must force) - container ffffffffffff is using its referenced image ${short}`,
    )
    await expect(remove(id, true)).rejects.toThrow(
      `conflict: unable to delete ${short} (cannot be forced) - image is being used by running container ffffffffffff`,
    )
    f.containers[0] = { id: container, imageId: id, running: false }
    await expect(remove(short)).rejects.toThrow(
      `conflict: unable to delete ${short} (must be forced) - image is being used by stopped container ffffffffffff`,
    )
    await f.images.tag(id, "other/name:1")
    await expect(remove(id)).rejects.toThrow("(must be forced) - image is referenced in multiple repositories")
    expect(await remove("other/name:1")).toEqual([{ Untagged: "other/name:1" }])
    f.containers.length = 0
    expect(await remove(id)).toEqual([
      { Untagged: "local/base:1" },
      { Deleted: id },
      { Deleted: expect.stringMatching(/^sha256:/) },
    ] as never)
    expect(blobs()).toEqual([])
    await expect(remove("local/base:1")).rejects.toThrow("No such image: local/base:1")
  })

  test("a container's snapshot keeps the layers of an image that is gone", async () => {
    const { id } = await importTar("local/base:1")
    const { layers } = f.images.resolve(id)
    f.snapshotter.prepare("container", layers)
    await f.images.remove(id, { force: true, prune: true })
    expect(blobs()).toEqual([...layers])
    f.snapshotter.mount("container", mountPoint(f))
    expect(readdirSync(mountPoint(f))).not.toEqual([])
    await f.snapshotter.remove("container")
    await f.collector.collect()
    expect(blobs()).toEqual([])
    expect(f.snapshotter.hasLayer(layers[0]!)).toBe(false)
  })

  test("loads, removals and collections at the same time never leave an image without its bytes", async () => {
    await importTar("local/base:1")
    const saved = await bytesOf(await f.images.save(["local/base:1"], { signal: never() }))
    const remove = async () => {
      try {
        await f.images.remove("local/base:1", { force: true, prune: true })
      } catch (error) {
        // Another one was quicker.
        expect(String(error)).toContain("No such image")
      }
    }
    for (let round = 0; round < 8; round++) {
      await Promise.all([load(saved), remove(), load(saved), f.collector.collect(), remove(), load(gzipSync(saved))])
      await f.collector.collect()
      const rows = await f.images.list(LISTING)
      for (const row of rows) {
        const { layers, manifest, id } = f.images.resolve(row.Id)
        for (const blob of [id, manifest, ...layers]) expect(existsSync(f.content.path(blob))).toBe(true)
        for (const layer of layers) expect(f.snapshotter.hasLayer(layer)).toBe(true)
      }
      if (rows.length === 0) expect(blobs()).toEqual([])
    }
  })

  test("a lease keeps what nothing names yet", async () => {
    using lease = f.content.lease()
    const blob = await f.content.put(Buffer.from("bytes"))
    lease.hold(blob.digest)
    await f.collector.collect()
    expect(blobs()).toEqual([blob.digest])
    lease[Symbol.dispose]()
    await f.collector.collect()
    expect(blobs()).toEqual([])
  })
})
