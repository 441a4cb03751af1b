// What leaves with save comes back with load under the same digests, compressed layers, attestations and all; and
// platforms one by one. skopeo agrees where it is installed.
import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { readTar } from "../../src/lib/tar/reader.ts"
import { encodeTarHeader } from "../../src/lib/tar/writer.ts"
import { type Digest, digestOf, hexOf } from "../../src/oci/digest.ts"
import { type Descriptor, type ImageIndex, MEDIA_TYPE } from "../../src/oci/manifest.ts"
import { bytesOf, type Fixture, file, never, openFixture, streamFrom, tarOf } from "./fixture.ts"

const LINUX = (architecture: string) => ({ os: "linux", architecture })

type Layout = { readonly archive: Uint8Array; readonly index: Digest; readonly manifests: readonly Digest[] }

/** As buildx exports two platforms: an index of two images, each with an attestation. */
async function buildxLayout(name: string, compress: (bytes: Uint8Array) => Uint8Array): Promise<Layout> {
  const files = new Map<string, Uint8Array>()
  const put = (bytes: Uint8Array, mediaType: string): Descriptor => {
    files.set(`blobs/sha256/${hexOf(digestOf(bytes))}`, bytes)
    return { mediaType, digest: digestOf(bytes), size: bytes.length }
  }
  const json = (value: unknown) => Buffer.from(JSON.stringify(value))
  const images: Descriptor[] = []
  const attestations: Descriptor[] = []
  for (const architecture of ["amd64", "arm64"]) {
    const tar = await tarOf([file("arch", architecture), file("filling", "filling ".repeat(5000))])
    const rootfs = { type: "layers", diff_ids: [digestOf(tar)] }
    const config = put(json({ architecture, os: "linux", rootfs }), MEDIA_TYPE.ociConfig)
    const layers = [put(compress(tar), MEDIA_TYPE.ociLayerGzip)]
    const image = put(
      json({ schemaVersion: 2, mediaType: MEDIA_TYPE.ociManifest, config, layers }),
      MEDIA_TYPE.ociManifest,
    )
    images.push({ ...image, platform: LINUX(architecture) })
    const statement = put(json({ subject: image.digest, predicate: architecture }), "application/vnd.in-toto+json")
    const none = put(
      json({ architecture: "unknown", os: "unknown", rootfs: { type: "layers", diff_ids: [statement.digest] } }),
      MEDIA_TYPE.ociConfig,
    )
    const attestation = put(
      json({ schemaVersion: 2, mediaType: MEDIA_TYPE.ociManifest, config: none, layers: [statement] }),
      MEDIA_TYPE.ociManifest,
    )
    const annotations = {
      "vnd.docker.reference.digest": image.digest,
      "vnd.docker.reference.type": "attestation-manifest",
    }
    attestations.push({ ...attestation, platform: { os: "unknown", architecture: "unknown" }, annotations })
  }
  const manifests = [...images, ...attestations]
  const index = put(json({ schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests }), MEDIA_TYPE.ociIndex)
  const top = { ...index, annotations: { "io.containerd.image.name": name, "org.opencontainers.image.ref.name": "1" } }
  const archive = await tarOf([
    ...[...files].map(([path, bytes]) => file(path, bytes)),
    file("index.json", json({ schemaVersion: 2, manifests: [top] })),
    file("oci-layout", '{"imageLayoutVersion":"1.0.0"}'),
  ])
  return { archive, index: index.digest, manifests: images.map(({ digest }) => digest) }
}

async function filesOf(archive: Uint8Array): Promise<ReadonlyMap<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>()
  async function* once() {
    yield archive
  }
  for await (const entry of readTar(once()))
    if (entry.type === "file") found.set(entry.path, Buffer.concat(await Array.fromAsync(entry.content)))
  return found
}

async function topOf(archive: Uint8Array): Promise<readonly Digest[]> {
  const bytes = (await filesOf(archive)).get("index.json")!
  return (JSON.parse(Buffer.from(bytes).toString()) as ImageIndex).manifests.map(({ digest }) => digest)
}

describe("save() and load()", () => {
  let f: Fixture
  beforeEach(() => {
    f = openFixture()
  })
  afterEach(() => f[Symbol.dispose]())

  const load = (bytes: Uint8Array, architecture?: string) =>
    f.images.load(streamFrom(bytes), {
      quiet: true,
      ...(architecture === undefined ? {} : { platform: LINUX(architecture) }),
      progress: f.progress,
      signal: never(),
    })
  const save = async (names: readonly string[], architecture?: string) =>
    await bytesOf(
      await f.images.save(names, {
        signal: never(),
        ...(architecture === undefined ? {} : { platform: LINUX(architecture) }),
      }),
    )

  for (const [how, compress] of [
    ["gzip", (bytes: Uint8Array) => gzipSync(bytes)],
    ["gzip -9", (bytes: Uint8Array) => gzipSync(bytes, { level: 9 })],
    ["nothing", (bytes: Uint8Array) => bytes],
  ] as const)
    test(`an index with attestations, layers compressed with ${how}, leaves and comes back as it came`, async () => {
      const { archive, index } = await buildxLayout("docker.io/local/multi:1", compress)
      await load(archive)
      const saved = await save(["local/multi:1"])
      expect(await topOf(saved)).toEqual([index])
      const before = await filesOf(archive)
      const after = await filesOf(saved)
      for (const [path, bytes] of before) if (path.startsWith("blobs/")) expect(after.get(path)).toEqual(bytes)
      for (const [path, bytes] of after)
        if (path.startsWith("blobs/")) expect(`blobs/sha256/${hexOf(digestOf(bytes))}`).toBe(path)
      using other = openFixture()
      await other.images.load(streamFrom(saved), { quiet: true, progress: other.progress, signal: never() })
      expect(other.content.has(index)).toBe(true)
      expect(await bytesOf(await other.images.save(["local/multi:1"], { signal: never() }))).toEqual(saved)
    })

  test("what another program compressed leaves as tars, with manifests of its own", async () => {
    const compress = (bytes: Uint8Array) =>
      Bun.gzipSync(bytes as Uint8Array<ArrayBuffer>, { level: 9, library: "libdeflate" })
    const { archive, index, manifests } = await buildxLayout("docker.io/local/multi:1", compress)
    await load(archive)
    const saved = await save(["local/multi:1"])
    expect(await topOf(saved)).not.toEqual([index])
    const paths = [...(await filesOf(saved)).keys()]
    for (const gone of [index, ...manifests]) expect(paths).not.toContain(`blobs/sha256/${hexOf(gone)}`)
    const arm = f.images.resolve("local/multi:1", LINUX("arm64"))
    using other = openFixture()
    await other.images.load(streamFrom(saved), { quiet: true, progress: other.progress, signal: never() })
    expect(other.images.resolve("local/multi:1", LINUX("arm64")).id).toBe(arm.id)
  })

  test("save() of one platform holds its manifest as it came, and nothing of the others", async () => {
    const { archive, manifests } = await buildxLayout("docker.io/local/multi:1", (bytes) => gzipSync(bytes))
    await load(archive)
    const saved = await save(["local/multi:1"], "arm64")
    expect(await topOf(saved)).toEqual([manifests[1]!])
    // Manifest, configuration and layer.
    expect([...(await filesOf(saved)).keys()].filter((path) => path.startsWith("blobs/"))).toHaveLength(3)
    await expect(save(["local/multi:1"], "s390x")).rejects.toThrow("no suitable export target found")
  })

  test("load() of one platform keeps nothing of the others, and says which there are", async () => {
    const { archive, manifests } = await buildxLayout("docker.io/local/multi:1", (bytes) => bytes)
    await expect(load(archive, "s390x")).rejects.toThrow("requested platform (linux/s390x) not found")
    await load(archive, "arm64")
    expect(f.images.resolve("local/multi:1", LINUX("arm64")).manifest).toBe(manifests[1]!)
    expect(() => f.images.resolve("local/multi:1", LINUX("amd64"))).toThrow("does not match the specified platform")
    await f.collector.collect()
    // Manifest, configuration and layer.
    expect([...f.content.list()]).toHaveLength(3)
  })

  test("several images and platforms fit into one archive, which skopeo reads", async () => {
    const one = await buildxLayout("docker.io/local/one:1", (bytes) => gzipSync(bytes))
    await load(one.archive)
    await f.images.import(streamFrom(await tarOf([file("two", "2")])), {
      reference: "local/two:1",
      changes: [],
      progress: f.progress,
      signal: never(),
    })
    const saved = await save(["local/one:1", "local/two:1"])
    expect((await topOf(saved))[0]).toBe(one.index)
    using other = openFixture()
    await other.images.load(streamFrom(saved), { quiet: true, progress: other.progress, signal: never() })
    expect(other.images.resolve("local/two:1").id).toBe(f.images.resolve("local/two:1").id)
    if (spawnSync("skopeo", ["--version"]).status !== 0) return
    const path = join(f.root, "saved.tar")
    writeFileSync(path, await save(["local/one:1"]))
    for (const source of [`oci-archive:${path}`, `docker-archive:${path}`]) {
      const args = ["copy", "--insecure-policy", "--override-arch", "amd64", source, `dir:${join(f.root, "copied")}`]
      expect(spawnSync("skopeo", args, { encoding: "utf8" }).stderr).toBe("")
    }
  })

  test("load() refuses what only wants the disk", async () => {
    const long = await tarOf([{ path: "manifest.json", type: "file", content: Buffer.alloc((8 << 20) + 1, " ") }])
    await expect(load(long)).rejects.toThrow('"manifest.json" in the image archive is longer than 8388608 bytes')
    let serial = 0
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) =>
        controller.enqueue(encodeTarHeader({ path: `x${serial++}`, type: "symlink", linkPath: "x" })),
    })
    await expect(f.images.load(endless, { quiet: true, progress: f.progress, signal: never() })).rejects.toThrow(
      "more than 100000 files",
    )
    await f.collector.collect()
    expect([...f.content.list()]).toEqual([])
  }, 60_000)
})
