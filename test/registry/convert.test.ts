// Converted images: what a registry gets is what was promised at the conversion, the original stays what it was, and the
// layers' tars never change.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test"
import { join } from "node:path"
import { openStacks } from "../../src/snapshot/stacks.ts"
import { openUppers } from "../../src/snapshot/uppers.ts"
import { type Fixture, file, never, openFixture, streamFrom, tarOf } from "../images/fixture.ts"
import { hasRegistry, skopeo, TestRegistry } from "../support/registry.ts"

type Manifest = {
  readonly mediaType: string
  readonly config: { readonly mediaType: string; readonly digest: string }
  readonly layers: readonly { readonly mediaType: string; readonly digest: string }[]
  readonly manifests?: readonly { readonly digest: string; readonly platform: { readonly architecture: string } }[]
}

describe.skipIf(!hasRegistry)("convert", () => {
  let registry: TestRegistry
  let f: Fixture
  beforeAll(async () => {
    registry = await TestRegistry.start()
  })
  afterAll(() => registry.stop())
  beforeEach(() => {
    f = openFixture()
  })
  afterEach(() => f[Symbol.dispose]())

  const contents = () =>
    f.images.contents({
      stacks: openStacks({ internalCommand: [] }),
      uppers: openUppers({ snapshotter: f.snapshotter, directory: join(f.root, "uppers"), internalCommand: [] }),
      mounts: join(f.root, "image-mounts"),
      container: () => {
        throw new Error("There is no container")
      },
    })
  const convert = (
    source: string,
    target: string,
    options: Partial<Parameters<ReturnType<typeof contents>["convert"]>[2]>,
  ) => contents().convert(source, target, { signal: never(), ...options })
  const push = (reference: string) => f.images.push(reference, { progress: f.progress, signal: never() })
  const raw = (name: string): Manifest =>
    JSON.parse(skopeo("inspect", "--raw", "--tls-verify=false", `docker://${name}`)) as Manifest
  const remoteDigest = (name: string): string =>
    (JSON.parse(skopeo("inspect", "--tls-verify=false", `docker://${name}`)) as { Digest: string }).Digest
  async function make(reference: string): Promise<string> {
    const archive = streamFrom(await tarOf([file("greeting", "hello".repeat(10_000))]))
    return (await f.images.import(archive, { reference, changes: [], progress: f.progress, signal: never() })).id
  }

  test("zstd and gzip, OCI and Docker: pushed under the digest that was promised", async () => {
    const id = await make("made:1")
    const forms = [
      { compression: { kind: "zstd" }, types: "oci", layer: "application/vnd.oci.image.layer.v1.tar+zstd" },
      { compression: { kind: "gzip", level: 9 }, types: "oci", layer: "application/vnd.oci.image.layer.v1.tar+gzip" },
      { compression: { kind: "gzip" }, types: "docker", layer: "application/vnd.docker.image.rootfs.diff.tar.gzip" },
    ] as const
    for (const [at, { layer, ...options }] of forms.entries()) {
      const name = `${registry.host}/converted:${at}`
      const { Digest } = await convert("made:1", name, options)
      expect((await convert("made:1", name, options)).Digest).toBe(Digest)
      await push(name)
      expect(remoteDigest(name)).toBe(Digest)
      const manifest = raw(name)
      expect(manifest.config.digest).toBe(id)
      expect(manifest.layers.map(({ mediaType }) => mediaType)).toEqual([layer])
      expect(f.images.resolve(name).id).toBe(id as never)
    }
    // Its tar, as the configuration names it.
    skopeo("copy", "--src-tls-verify=false", `docker://${registry.host}/converted:0`, `dir:${join(f.root, "copy")}`)
    expect(f.images.resolve("made:1").manifest).not.toBe(f.images.resolve(`${registry.host}/converted:0`).manifest)
    await f.images.remove(`${registry.host}/converted:0`, { force: false, prune: true })
    expect(f.images.resolve("made:1").id).toBe(id as never)
  })

  test("only the media types change where no compression is asked for", async () => {
    const name = `${registry.host}/pulled:1`
    await make(name)
    await push(name)
    const before = raw(name)
    await f.images.remove(name, { force: true, prune: true })
    await f.images.pull(name, { progress: f.progress, signal: never() })
    await convert(name, `${registry.host}/pulled:docker`, { types: "docker" })
    await push(`${registry.host}/pulled:docker`)
    const after = raw(`${registry.host}/pulled:docker`)
    expect(after.mediaType).toBe("application/vnd.docker.distribution.manifest.v2+json")
    expect(after.config.mediaType).toBe("application/vnd.docker.container.image.v1+json")
    expect(after.layers.map(({ digest }) => digest)).toEqual(before.layers.map(({ digest }) => digest))
    await push(name)
    expect(raw(name)).toEqual(before)
  })

  test("all platforms of an index, or one of them", async () => {
    const platforms: { digest: string; size: number; platform: object; mediaType: string }[] = []
    const blobs = new Map<string, Uint8Array>()
    const put = (bytes: Uint8Array): { digest: string; size: number } => {
      const digest = `sha256:${new Bun.CryptoHasher("sha256").update(bytes).digest("hex")}`
      blobs.set(digest, bytes)
      return { digest, size: bytes.length }
    }
    const json = (value: unknown) => put(Buffer.from(JSON.stringify(value)))
    const oci = "application/vnd.oci.image"
    for (const architecture of ["amd64", "arm64"]) {
      const layer = put(await tarOf([file("arch", architecture)]))
      const rootfs = { type: "layers", diff_ids: [layer.digest] }
      const config = json({ architecture, os: "linux", rootfs })
      const manifest = json({
        ...{ schemaVersion: 2, mediaType: `${oci}.manifest.v1+json` },
        config: { mediaType: `${oci}.config.v1+json`, ...config },
        layers: [{ mediaType: `${oci}.layer.v1.tar`, ...layer }],
      })
      platforms.push({ mediaType: `${oci}.manifest.v1+json`, ...manifest, platform: { os: "linux", architecture } })
    }
    const index = json({ schemaVersion: 2, mediaType: `${oci}.index.v1+json`, manifests: platforms })
    const entry = { mediaType: `${oci}.index.v1+json`, ...index }
    const named = { ...entry, annotations: { "io.containerd.image.name": "docker.io/library/two:1" } }
    const archive = await tarOf([
      file("oci-layout", '{"imageLayoutVersion":"1.0.0"}'),
      file("index.json", JSON.stringify({ schemaVersion: 2, manifests: [named] })),
      ...[...blobs].map(([digest, bytes]) => file(`blobs/sha256/${digest.slice(7)}`, bytes)),
    ])
    await f.images.load(streamFrom(archive), { quiet: true, progress: f.progress, signal: never() })

    const name = `${registry.host}/two:zstd`
    const { Digest, Manifests } = await convert("two:1", name, { compression: { kind: "zstd" } })
    expect(Manifests.map(({ Platform }) => Platform).sort()).toEqual(["linux/amd64", "linux/arm64"])
    await push(name)
    const pushed = raw(name)
    expect(pushed.manifests?.map(({ platform }) => platform.architecture)).toEqual(["amd64", "arm64"])
    expect(pushed.manifests?.map(({ digest }) => digest).sort()).toEqual(Manifests.map(({ Digest: one }) => one).sort())
    expect(remoteDigest(name)).toBe(Digest)
    const arm = await convert("two:1", "arm:1", { platform: { os: "linux", architecture: "arm64" }, types: "docker" })
    expect(arm.Manifests).toHaveLength(1)
    expect(f.images.resolve("arm:1", { os: "linux", architecture: "arm64" }).manifest).toBe(arm.Digest as never)
  })

  test("what cannot be is refused", async () => {
    await make("made:1")
    expect(convert("made:1", "x:1", { compression: { kind: "zstd" }, types: "docker" })).rejects.toThrow(
      "Docker's media types know no zstd",
    )
    expect(convert("none:1", "x:1", {})).rejects.toThrow("No such image: none:1")
    expect(convert("made:1", "x@sha256:00", {})).rejects.toThrow("invalid reference format")
  })
})
