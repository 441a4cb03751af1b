// Several platforms of one name: listed, inspected, removed, tagged and saved one by one, and what the collection leaves.
import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { plainManifest } from "../../src/engine/images/assemble.ts"
import { composeTag } from "../../src/engine/images/compose-tag.ts"
import { imageRecords } from "../../src/engine/images/records.ts"
import { type Digest, digestOf, hexOf } from "../../src/oci/digest.ts"
import type { ImageConfig } from "../../src/oci/image-config.ts"
import { type Descriptor, MEDIA_TYPE } from "../../src/oci/manifest.ts"
import { formatPlatform, hostPlatform, type Platform, parsePlatform } from "../../src/oci/platform.ts"
import { bytesOf, type Fixture, file, filters, never, openFixture, streamFrom, tarOf } from "./fixture.ts"

const host = formatPlatform(hostPlatform())
const NAME = "example.com/app:1"

describe("a name with several platforms", () => {
  let f: Fixture
  beforeEach(() => {
    f = openFixture()
  })
  afterEach(() => f[Symbol.dispose]())

  /** An OCI layout of one index. `given` are those whose bytes are in it; `extra` goes into the index as it is. */
  async function layout(
    platforms: readonly string[],
    { given = platforms, extra = [] }: { given?: readonly string[]; extra?: readonly unknown[] } = {},
  ): Promise<{ archive: Uint8Array; index: Digest; manifests: Map<string, Digest> }> {
    const blobs = new Map<string, Uint8Array>()
    const put = (bytes: Uint8Array): { digest: Digest; size: number } => {
      blobs.set(hexOf(digestOf(bytes)), bytes)
      return { digest: digestOf(bytes), size: bytes.length }
    }
    const manifests = new Map<string, Digest>()
    const entries: Descriptor[] = []
    for (const name of platforms) {
      const before = new Set(blobs.keys())
      const platform = parsePlatform(name)
      const layer = put(await tarOf([file("which", name)]))
      const config: ImageConfig = {
        architecture: platform.architecture,
        os: platform.os,
        ...(platform.variant === undefined ? {} : { variant: platform.variant }),
        rootfs: { type: "layers", diff_ids: [layer.digest] },
      }
      const stored = put(Buffer.from(JSON.stringify(config)))
      const content = { stat: () => layer } as unknown as Fixture["content"]
      const manifest = put(Buffer.from(JSON.stringify(plainManifest({ content }, stored, config))))
      manifests.set(name, manifest.digest)
      entries.push({ mediaType: MEDIA_TYPE.ociManifest, ...manifest, platform })
      if (!given.includes(name)) for (const key of [...blobs.keys()]) if (!before.has(key)) blobs.delete(key)
    }
    const index = put(
      Buffer.from(
        JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests: [...entries, ...extra] }),
      ),
    )
    const top = {
      schemaVersion: 2,
      manifests: [{ mediaType: MEDIA_TYPE.ociIndex, ...index, annotations: { "io.containerd.image.name": NAME } }],
    }
    const archive = await tarOf([
      file("oci-layout", JSON.stringify({ imageLayoutVersion: "1.0.0" })),
      file("index.json", JSON.stringify(top)),
      ...[...blobs].map(([hex, bytes]) => file(`blobs/sha256/${hex}`, bytes)),
    ])
    return { archive, index: index.digest, manifests }
  }

  const load = (archive: Uint8Array): Promise<void> =>
    f.images.load(streamFrom(archive), { quiet: true, progress: f.progress, signal: never() })
  const list = () => f.images.list({ all: false, filters: filters(), sharedSize: false, manifests: true })
  const remove = (reference: string, ...platforms: readonly string[]) =>
    f.images.remove(reference, { force: false, prune: true, platforms: platforms.map(parsePlatform) })
  const here = async (reference = NAME): Promise<readonly string[]> =>
    ((await f.images.inspect(reference, { manifests: true })).Manifests ?? [])
      .filter(({ Available }) => Available)
      .map(({ ImageData }) => formatPlatform(ImageData!.Platform as Platform))
  const blobCount = (): number => [...f.content.list()].length

  test("is one row in a list, with every platform of its index behind it, here or not", async () => {
    const attestation = {
      mediaType: MEDIA_TYPE.ociManifest,
      digest: digestOf("attestation"),
      size: 11,
      platform: { os: "unknown", architecture: "unknown" },
      annotations: {
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": digestOf("subject"),
      },
    }
    const { archive, index, manifests } = await layout([host, "linux/arm/v6", "linux/s390x"], {
      given: [host, "linux/arm/v6"],
      extra: [attestation],
    })
    await load(archive)
    const [row, ...others] = await list()
    expect(others).toEqual([])
    expect(row!.RepoTags).toEqual([NAME])
    expect(row!.Manifests!.map(({ Kind, Available, ImageData }) => [Kind, Available, ImageData?.Platform])).toEqual([
      ["image", true, parsePlatform(host)],
      ["image", true, { architecture: "arm", os: "linux", variant: "v6" }],
      ["image", false, { architecture: "s390x", os: "linux" }],
      ["attestation", false, undefined],
    ])
    expect(row!.Manifests!.map(({ ID }) => ID)).toEqual([...manifests.values(), attestation.digest])
    expect(row!.Manifests![3]!.AttestationData).toEqual({ For: digestOf("subject") })
    const inspected = await f.images.inspect(NAME, { manifests: true })
    expect(inspected.Descriptor).toMatchObject({ mediaType: MEDIA_TYPE.ociIndex, digest: index })
    expect(inspected.Manifests!.map(({ ID }) => ID)).toEqual(row!.Manifests!.map(({ ID }) => ID))
    const arm = await f.images.inspect(NAME, { platform: parsePlatform("linux/arm/v6") })
    expect(arm).toMatchObject({ Architecture: "arm", Variant: "v6" })
    expect(arm.Descriptor!.digest).toBe(manifests.get("linux/arm/v6")!)
    expect(arm.Manifests).toBeUndefined()
    await expect(f.images.inspect(NAME, { platform: parsePlatform("linux/arm/v7") })).rejects.toThrow(
      `its platforms (linux/amd64, linux/arm/v6) do not match the specified platform (linux/arm/v7)`,
    )
  })

  test("loses one platform and keeps the others; the bytes of that one go", async () => {
    const { archive } = await layout([host, "linux/s390x", "linux/ppc64le"])
    await load(archive)
    await f.collector.collect()
    const before = blobCount()
    const id = (await f.images.inspect(NAME, { platform: parsePlatform("linux/s390x") })).Id
    expect(await remove(NAME, "linux/s390x")).toContainEqual({ Deleted: id })
    expect(await here()).toEqual([host, "linux/ppc64le"])
    // Its manifest, configuration and layer.
    expect(blobCount()).toBe(before - 3)
    expect(f.events).toContain(`delete ${id}`)
    await expect(remove(NAME, "linux/s390x")).rejects.toThrow("does not provide the specified platform (linux/s390x)")
    // What goes and comes back is what it was.
    await load(archive)
    await f.collector.collect()
    expect(await here()).toEqual([host, "linux/s390x", "linux/ppc64le"])
    expect(blobCount()).toBe(before)
  })

  test("is gone with its last platform", async () => {
    const { archive } = await layout([host, "linux/s390x"])
    await load(archive)
    expect(await remove(NAME, host, "linux/s390x")).toContainEqual({ Untagged: NAME })
    expect(await list()).toEqual([])
    expect(blobCount()).toBe(0)
  })

  test("goes as a whole by its name and by the id that lists show, and one by one by the ids of the others", async () => {
    const { archive } = await layout([host, "linux/s390x"])
    await load(archive)
    const other = await f.images.inspect(NAME, { platform: parsePlatform("linux/s390x") })
    const main = await f.images.inspect(NAME)
    expect(await remove(other.Id)).toContainEqual({ Deleted: other.Id })
    expect(await here()).toEqual([host])
    await load(archive)
    expect(await remove(main.Id)).toEqual(
      expect.arrayContaining([{ Untagged: NAME }, { Deleted: main.Id }, { Deleted: other.Id }]),
    )
    expect(blobCount()).toBe(0)
    await load(archive)
    await remove(NAME)
    expect(blobCount()).toBe(0)
  })

  test("is kept while a container stands on the platform that is to go", async () => {
    const { archive } = await layout([host, "linux/s390x"])
    await load(archive)
    const { Id: imageId } = await f.images.inspect(NAME, { platform: parsePlatform("linux/s390x") })
    f.containers.push({ id: "c".repeat(64), imageId, running: true })
    await expect(remove(NAME, "linux/s390x")).rejects.toThrow("(cannot be forced) - image is being used by running")
    await expect(remove(imageId)).rejects.toThrow("(cannot be forced)")
    await expect(remove(NAME)).rejects.toThrow("is using its referenced image")
    await expect(remove((await f.images.inspect(NAME)).Id)).rejects.toThrow("(cannot be forced)")
    expect(await here()).toEqual([host, "linux/s390x"])
    expect(await remove(NAME, host)).not.toEqual([])
    expect(await here()).toEqual(["linux/s390x"])
  })

  test("gives a platform that another name holds away from one of the two only", async () => {
    const { archive } = await layout([host, "linux/s390x"])
    await load(archive)
    const s390x = parsePlatform("linux/s390x")
    await f.images.tag(NAME, "example.com/app:s390x", { platform: s390x })
    await f.images.tag(NAME, "example.com/app:all")
    expect(await here("example.com/app:s390x")).toEqual(["linux/s390x"])
    expect(await here("example.com/app:all")).toEqual([host, "linux/s390x"])
    await expect(remove(NAME, "linux/s390x")).rejects.toThrow("example.com/app:1, example.com/app:all (must be forced)")
    // Names of one target are one thing: what leaves it, leaves it under each of its names.
    expect(await f.images.remove(NAME, { force: true, prune: true, platforms: [s390x] })).toEqual([
      { Untagged: "example.com/app:1@@linux/s390x" },
      { Untagged: "example.com/app:all@@linux/s390x" },
    ])
    expect(await here("example.com/app:all")).toEqual([host])
    expect(await here("example.com/app:s390x")).toEqual(["linux/s390x"])
    expect(f.images.resolve("example.com/app:s390x").platform).toEqual(s390x)
  })

  test("is saved whole or in part, and what is saved in part is added to what is there", async () => {
    const { archive, index } = await layout([host, "linux/s390x"])
    await load(archive)
    const s390x = parsePlatform("linux/s390x")
    const saved = await bytesOf(await f.images.save([NAME], { platform: s390x, signal: never() }))
    using other = openFixture()
    await other.images.load(streamFrom(saved), { quiet: true, progress: other.progress, signal: never() })
    expect(other.images.resolve(NAME, s390x).platform).toEqual(s390x)
    const whole = await bytesOf(await f.images.save([NAME], { signal: never() }))
    await other.images.load(streamFrom(whole), { quiet: true, progress: other.progress, signal: never() })
    const [row] = await other.images.list({ all: false, filters: filters(), sharedSize: false, manifests: true })
    expect(row!.Manifests!.map(({ Available }) => Available)).toEqual([true, true])
    expect((await other.images.inspect(NAME)).Descriptor!.digest).toBe(index)
  })

  test("is told from an index that lies about its entries", async () => {
    const weird = [
      { mediaType: MEDIA_TYPE.ociManifest, digest: digestOf("a"), size: 1, platform: { os: 5, architecture: ["x"] } },
      { mediaType: MEDIA_TYPE.ociManifest, digest: digestOf("b"), size: 1, platform: null, annotations: null },
      { mediaType: MEDIA_TYPE.ociIndex, digest: digestOf("c"), size: 1 },
      { mediaType: MEDIA_TYPE.ociManifest, digest: digestOf("d"), size: -1, platform: { os: "linux", variant: {} } },
    ]
    const { archive } = await layout([host], { extra: weird })
    await load(archive)
    const [row] = await list()
    expect(row!.Manifests!.filter(({ Available }) => Available)).toHaveLength(1)
    for (const { ImageData } of row!.Manifests!)
      if (ImageData !== undefined)
        for (const value of Object.values(ImageData.Platform)) expect(typeof value).toBe("string")
    expect(f.images.resolve(NAME).platform).toEqual(hostPlatform())
  })

  describe("composeTag()", () => {
    async function image(platform: string, text = platform): Promise<Digest> {
      const { architecture, os, variant } = parsePlatform(platform)
      using lease = f.content.lease()
      const bytes = Buffer.from(JSON.stringify({ architecture, os, variant, rootfs: { diff_ids: [] }, author: text }))
      const config = await f.content.put(bytes)
      const made = plainManifest(f, config, { rootfs: { type: "layers", diff_ids: [] } })
      const manifest = await f.content.put(Buffer.from(JSON.stringify(made)))
      lease.hold(manifest.digest)
      const base = { size: 0, created_at: 0, pulled_at: 0, os, arch: architecture, variant: variant ?? "" }
      records().putImage({ ...base, id: config.digest, manifest: manifest.digest }, [manifest.digest])
      return config.digest
    }
    const records = () => imageRecords(f.database)
    const STORED = "distro.local/app:1"

    async function add(id: Digest): Promise<Digest> {
      using lease = f.content.lease()
      return composeTag({ records: records(), content: f.content }, STORED, { id, lease })
    }

    test("makes one index of what comes one by one, the same in every order", async () => {
      const amd64 = await image("linux/amd64")
      const alone = await add(amd64)
      expect(alone).toBe(records().image(amd64)!.manifest)
      const arm64 = await image("linux/arm64")
      const both = await add(arm64)
      expect(both).not.toBe(alone)
      expect(await add(amd64)).toBe(both)
      expect(await here("distro.local/app:1")).toEqual(["linux/amd64", "linux/arm64"])
      // No target is left behind that no name leads to.
      expect(
        new Set(
          records()
            .targets()
            .map(({ target }) => target),
        ),
      ).toEqual(new Set([both]))
      using other = openFixture()
      f.containers.length = 0
      const first = f
      f = other
      await add(await image("linux/arm64"))
      expect(await add(await image("linux/amd64"))).toBe(both)
      f = first
    })

    test("puts a platform that was made anew into the place of the former, which loses its name", async () => {
      const old = await image("linux/arm64", "old")
      await add(await image("linux/amd64"))
      await add(old)
      const anew = await image("linux/arm64", "new")
      await add(anew)
      expect(f.images.resolve("distro.local/app:1", parsePlatform("linux/arm64")).id).toBe(anew)
      expect(await here("distro.local/app:1")).toEqual(["linux/amd64", "linux/arm64"])
      const dangling = (await list()).filter(({ RepoTags }) => RepoTags.length === 0)
      expect(dangling.map(({ Id }) => Id)).toEqual([old])
      await f.images.prune(filters())
      expect(await here("distro.local/app:1")).toEqual(["linux/amd64", "linux/arm64"])
      expect(records().image(old)).toBeUndefined()
    })

    test("loses none of two that come at once", async () => {
      const ids = await Promise.all(
        ["linux/amd64", "linux/arm64", "linux/arm/v7", "linux/386"].map((one) => image(one)),
      )
      await Promise.all(ids.map(add))
      expect((await here("distro.local/app:1")).toSorted()).toEqual([
        "linux/386",
        "linux/amd64",
        "linux/arm/v7",
        "linux/arm64",
      ])
    })
  })
})
