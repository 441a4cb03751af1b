// What comes with an image goes with it: attestations that an index names, and what refers to a manifest, by a registry's
// list or by tags; bounded, and gone with the image.
import { afterEach, beforeEach, expect, test } from "bun:test"
import { randomBytes } from "node:crypto"
import { gzipSync, type ZlibOptions } from "node:zlib"
import type { Images } from "../../src/engine/contract.ts"
import { type Digest, digestOf, hexOf } from "../../src/oci/digest.ts"
import { type Descriptor, type ImageIndex, MEDIA_TYPE } from "../../src/oci/manifest.ts"
import { formatPlatform, hostPlatform, parsePlatform } from "../../src/oci/platform.ts"
import { type Fixture, file, filters, never, openFixture, tarOf } from "../images/fixture.ts"
import { FaultRegistry } from "../support/fault-registry.ts"

const EMPTY = "application/vnd.oci.empty.v1+json"
const HOST = formatPlatform(hostPlatform())
const OTHER = HOST === "linux/arm64" ? "linux/amd64" : "linux/arm64"
let from: FaultRegistry
let to: FaultRegistry
let f: Fixture
let source: string
let target: string

beforeEach(async () => {
  from = new FaultRegistry()
  to = new FaultRegistry()
  source = `${await from.listen()}/app`
  target = `${await to.listen()}/copy`
  f = openFixture()
})
afterEach(() => {
  f[Symbol.dispose]()
  from.close()
  to.close()
})

async function addImage(platform: string, tag?: string, gzip: ZlibOptions = {}): Promise<Descriptor> {
  const tar = await tarOf([file("platform", platform), file("random", randomBytes(1000))])
  const layer = gzipSync(tar, gzip)
  const { os, architecture } = parsePlatform(platform)
  const config = Buffer.from(
    JSON.stringify({ os, architecture, rootfs: { type: "layers", diff_ids: [digestOf(tar)] }, config: {} }),
  )
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.ociManifest,
    config: { mediaType: MEDIA_TYPE.ociConfig, digest: from.addBlob(config), size: config.length },
    layers: [{ mediaType: MEDIA_TYPE.ociLayerGzip, digest: from.addBlob(layer), size: layer.length }],
  }
  return { ...from.addManifest(manifest, tag), platform: { os, architecture } }
}

/** An artifact as cosign, oras or buildkit make one. */
function addArtifact(
  text: string,
  more: { readonly subject?: Descriptor; readonly tag?: string; readonly config?: Buffer },
): Descriptor {
  const { subject, tag, config = Buffer.from("{}") } = more
  const payload = Buffer.from(text)
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.ociManifest,
    artifactType: "application/vnd.example.signature",
    config: { mediaType: EMPTY, digest: from.addBlob(config), size: config.length },
    layers: [{ mediaType: "application/vnd.in-toto+json", digest: from.addBlob(payload), size: payload.length }],
    ...(subject === undefined
      ? {}
      : { subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size } }),
  }
  return from.addManifest(manifest, tag)
}

function attestationOf(image: Descriptor): Descriptor {
  const annotations = {
    "vnd.docker.reference.type": "attestation-manifest",
    "vnd.docker.reference.digest": image.digest,
  }
  return {
    ...addArtifact(`attests ${image.digest}`, {}),
    platform: { os: "unknown", architecture: "unknown" },
    annotations,
  }
}

function addIndex(manifests: readonly Descriptor[], tag = "1"): Descriptor {
  return from.addManifest({ schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests }, tag)
}

const pull = (more: Partial<Parameters<Images["pull"]>[1]> = {}) =>
  f.images.pull(`${source}:1`, { progress: f.progress, signal: never(), ...more })
async function push(more: Partial<Parameters<Images["push"]>[1]> = {}): Promise<void> {
  await f.images.tag(`${source}:1`, `${target}:1`)
  await f.images.push(`${target}:1`, { progress: f.progress, signal: never(), ...more })
}
const statuses = (): string[] => f.lines.map(({ status }) => status ?? "")
const there = (digest: Digest): Buffer | undefined => to.manifests.get(digest)?.bytes

test("an index of the host's image and its attestation goes on as it came, with both", async () => {
  const image = await addImage(HOST)
  const attestation = attestationOf(image)
  const index = addIndex([image, attestation])
  await pull()
  await push()
  expect(digestOf(to.manifests.get("1")!.bytes)).toBe(index.digest)
  expect(there(attestation.digest)?.toString()).toContain("in-toto")
  expect([...to.blobs.values()].some((bytes) => bytes.toString() === `attests ${image.digest}`)).toBe(true)
})

test("--all-platforms fetches every image and attestation, and pushes the index whole", async () => {
  const images = [await addImage(HOST), await addImage(OTHER), await addImage("linux/s390x")]
  const index = addIndex([...images, ...images.map(attestationOf)])
  await pull({ allPlatforms: true })
  for (const platform of [HOST, OTHER, "linux/s390x"])
    expect(formatPlatform(f.images.resolve(`${source}:1`, parsePlatform(platform)).platform)).toBe(platform)
  await push({ allPlatforms: true })
  expect(digestOf(to.manifests.get("1")!.bytes)).toBe(index.digest)
  expect(to.manifests.size).toBe(8)
})

test("an index of which one platform is here: that one goes, or with --all-platforms an error that names the others", async () => {
  const [mine, other] = [await addImage(HOST), await addImage(OTHER)]
  const index = addIndex([mine, other])
  await pull()
  const failed = push({ allPlatforms: true })
  expect(await failed.catch((error: Error) => error.message)).toBe(`Not every platform is here: ${OTHER}`)
  expect(to.manifests.size).toBe(0)
  await push()
  expect(digestOf(to.manifests.get("1")!.bytes)).toBe(mine.digest)
  expect(f.lines.map(({ aux }) => aux)).toContainEqual(
    expect.objectContaining({
      manifestPushedInsteadOfIndex: true,
      originalIndex: expect.objectContaining({ digest: index.digest }),
      selectedManifest: expect.objectContaining({ digest: mine.digest }),
    }),
  )
  // Where the registry has the other one already, the index can go whole.
  to.manifests.set(other.digest, { bytes: Buffer.from("{}"), type: MEDIA_TYPE.ociManifest })
  await push()
  expect(digestOf(to.manifests.get("1")!.bytes)).toBe(index.digest)
})

for (const listed of [true, false])
  test(`signatures go along, where the other registry ${listed ? "lists" : "does not list"} them`, async () => {
    const image = await addImage(HOST, "1")
    const signature = addArtifact("signed", { subject: image })
    const about = addArtifact("signed again", { subject: signature })
    const cosign = addArtifact("cosign", { tag: `sha256-${hexOf(image.digest)}.sig` })
    to.faults.referrers = listed
    await pull()
    await push()
    for (const { digest } of [image, signature, about, cosign]) expect(there(digest)).toBeDefined()
    expect(digestOf(to.manifests.get(`sha256-${hexOf(image.digest)}.sig`)!.bytes)).toBe(cosign.digest)
    const list = to.manifests.get(`sha256-${hexOf(image.digest)}`)
    if (listed) expect(list).toBeUndefined()
    else
      expect(JSON.parse(list!.bytes.toString()) as ImageIndex).toMatchObject({
        manifests: [{ digest: signature.digest, artifactType: "application/vnd.example.signature" }],
      })
    // Once more changes nothing.
    const before = to.manifests.size
    await push()
    expect(to.manifests.size).toBe(before)
  })

test("where the registry lists nothing, the tag of the specification's schema is read", async () => {
  from.faults.referrers = false
  const image = await addImage(HOST, "1")
  const signature = addArtifact("signed", { subject: image })
  from.addManifest(
    { schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests: [signature] },
    `sha256-${hexOf(image.digest)}`,
  )
  await pull()
  await push()
  expect(there(signature.digest)).toBeDefined()
})

test("they stay through a collection while the image is here, and go with it", async () => {
  const image = await addImage(HOST)
  const attestation = attestationOf(image)
  const index = addIndex([image, attestation])
  const signature = addArtifact("signed", { subject: index, config: Buffer.from("no JSON at all") })
  await pull()
  await f.collector.collect()
  for (const { digest } of [attestation, signature]) expect(f.content.has(digest)).toBe(true)
  expect(f.content.has(digestOf("signed"))).toBe(true)
  await f.images.remove(`${source}:1`, { force: true, prune: true })
  expect([...f.content.list()]).toEqual([])
  expect(f.database.query<object>("SELECT * FROM referrers").all()).toEqual([])
  expect(f.database.query<object>("SELECT * FROM blob_places").all()).toEqual([])
})

test("a list that lies, and one without end, cost a line each and nothing more", async () => {
  const image = await addImage(HOST, "1")
  const other = await addImage(OTHER)
  addArtifact("about another", { subject: other })
  for (let at = 0; at < 80; at++) addArtifact(`signature ${at}`, { subject: image })
  const damaged = addArtifact("damaged", { subject: image })
  from.blobs.delete(digestOf("damaged"))
  await pull()
  expect(statuses()).toContain("More than 64 manifests refer to the image: the others are left out")
  expect(f.content.has(damaged.digest)).toBe(false)
  expect(f.database.query<object>("SELECT * FROM referrers").all().length).toBeLessThanOrEqual(64)
  expect(await f.images.list({ all: false, filters: filters(), sharedSize: false, manifests: false })).toHaveLength(1)
})

test("an artifact that is too large is left out", async () => {
  const image = await addImage(HOST, "1")
  const signature = addArtifact("x".repeat(65 << 20), { subject: image })
  await pull()
  expect(statuses().some((status) => status.includes("may come with an image"))).toBe(true)
  expect(f.content.has(signature.digest)).toBe(false)
})

test("signatures of an image that had to be compressed anew stay behind", async () => {
  const image = await addImage(HOST, "1", { memLevel: 1 })
  const signature = addArtifact("signed", { subject: image })
  await pull()
  from.blobs.clear()
  await push()
  expect(digestOf(to.manifests.get("1")!.bytes)).not.toBe(image.digest)
  expect(there(signature.digest)).toBeUndefined()
})
