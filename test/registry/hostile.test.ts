// Registries that answer wrongly, too much, for ever or not at all: one clear line, and nothing half-stored.
import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { randomBytes } from "node:crypto"
import { readdirSync } from "node:fs"
import { createServer, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { gzipSync, zstdCompressSync } from "node:zlib"
import { type Digest, digestOf } from "../../src/oci/digest.ts"
import { type Descriptor, MEDIA_TYPE } from "../../src/oci/manifest.ts"
import { hostPlatform } from "../../src/oci/platform.ts"
import { type Fixture, file, filters, never, openFixture, tarOf } from "../images/fixture.ts"
import { FaultRegistry } from "../support/fault-registry.ts"

const LISTING = { all: true, filters: filters(), sharedSize: false, manifests: false }
let registry: FaultRegistry
let name: string
let f: Fixture

beforeEach(async () => {
  registry = new FaultRegistry()
  name = `${await registry.listen()}/app:1`
  f = openFixture(undefined, { pace: { tries: 3, first: 1, longest: 10 }, patience: 300 })
})
afterEach(() => {
  f[Symbol.dispose]()
  registry.close()
})

type Image = { readonly layer: Buffer; readonly digest: Digest }

async function addImage(
  bytes: Uint8Array,
  change: (layer: Descriptor) => Descriptor = (layer) => layer,
  compress: (tar: Uint8Array) => Buffer = (tar) => gzipSync(tar, { level: 1 }),
): Promise<Image> {
  const tar = await tarOf([file("bytes", bytes)])
  const layer = compress(tar)
  const { os, architecture } = hostPlatform()
  const config = Buffer.from(
    JSON.stringify({ os, architecture, rootfs: { type: "layers", diff_ids: [digestOf(tar)] }, config: {} }),
  )
  const digest = registry.addBlob(layer)
  const described = change({ mediaType: MEDIA_TYPE.ociLayerGzip, digest, size: layer.length })
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.ociManifest,
    config: { mediaType: MEDIA_TYPE.ociConfig, digest: registry.addBlob(config), size: config.length },
    layers: [described],
  }
  registry.addManifest(manifest, "1")
  return { layer, digest }
}

const pull = () => f.images.pull(name, { progress: f.progress, signal: never() })
const failure = async (): Promise<string> =>
  await pull().then(
    () => "it succeeded",
    (error: unknown) => (error as Error).message,
  )

/** No image, no blob, no file but what a later pull goes on from. */
async function expectNothing(kept: "nothing" | "a beginning" = "nothing"): Promise<void> {
  expect(await f.images.list(LISTING)).toEqual([])
  expect([...f.content.list()]).toEqual([])
  const left = readdirSync(join(f.root, "content/ingest"))
  if (kept === "nothing") expect(left).toEqual([])
  else expect(left).toEqual([expect.stringMatching(/^partial-/)])
}

const SMALL = 200_000
const LARGE = 20 << 20

for (const [size, length] of [
  ["a small", SMALL],
  ["a large", LARGE],
] as const)
  describe(`${size} layer`, () => {
    const answer = (change: (bytes: Buffer, response: ServerResponse) => void): void => {
      registry.faults.blob = (bytes, response) =>
        // The configuration comes as it should.
        bytes.length < 10_000 ? void response.end(bytes) : change(bytes, response)
    }

    test("that is damaged is refused by its digest, and can be pulled once it is whole", async () => {
      await addImage(randomBytes(length))
      answer((bytes, response) => {
        const copy = Buffer.from(bytes)
        copy.fill(0, copy.length - 3000, copy.length - 2000)
        response.end(copy)
      })
      expect(await failure()).toMatch(/does not match its digest|is damaged or cut off/)
      await expectNothing()
      registry.faults.blob = undefined
      await pull()
    }, 30_000)

    test("that is cut off each time is an error, and what came is kept where it is worth it", async () => {
      await addImage(randomBytes(length))
      answer((bytes, response) => {
        response.writeHead(200, { "content-length": bytes.length })
        response.write(bytes.subarray(0, bytes.length >> 2), () => response.destroy())
      })
      expect(await failure()).toMatch(/broke off|closed/)
      await expectNothing(length === SMALL ? "nothing" : "a beginning")
      registry.faults.blob = undefined
      await pull()
      expect(await f.images.list(LISTING)).toHaveLength(1)
    }, 30_000)

    test("that is longer than said, or without end, is given up at its length", async () => {
      await addImage(randomBytes(length))
      let served = 0
      answer((bytes, response) => {
        response.writeHead(200)
        response.write(bytes)
        const more = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(64 << 10))) served += 64 << 10
        }
        response.on("drain", more)
        more()
      })
      expect(await failure()).toContain(`is longer than the`)
      expect(served).toBeLessThan(64 << 20)
      await expectNothing()
    }, 30_000)

    test("whose length the registry gives otherwise than its manifest is refused before it is read", async () => {
      const { layer } = await addImage(randomBytes(length), (one) => ({ ...one, size: one.size - 1 }))
      expect(await failure()).toContain(`is ${layer.length} bytes, not the ${layer.length - 1} expected`)
      await expectNothing()
    }, 30_000)

    test("that never comes is given up after the patience", async () => {
      await addImage(randomBytes(length))
      answer((_, response) => void response.writeHead(200))
      expect(await failure()).toMatch(/no answer for 1 seconds/)
      await expectNothing()
    }, 30_000)
  })

for (const parts of ["ignored", "another", "refused"] as const)
  test(`a registry that answers requests for parts wrongly (${parts}) gives the whole layer in order`, async () => {
    await addImage(randomBytes(LARGE))
    registry.faults.parts = parts
    await pull()
    expect(await f.images.list(LISTING)).toHaveLength(1)
    expect(readdirSync(join(f.root, "content/ingest"))).toEqual([])
  }, 30_000)

test("parts that are given are several, and each byte comes once", async () => {
  const { layer, digest } = await addImage(randomBytes(LARGE))
  await pull()
  const requests = registry.sent("GET", digest)
  expect(requests.map(({ headers }) => headers.range).sort()).toEqual([
    "bytes=0-8388607",
    `bytes=16777216-${layer.length - 1}`,
    "bytes=8388608-16777215",
  ])
})

test("a layer that unpacks to something else than its configuration says is refused", async () => {
  const { layer } = await addImage(randomBytes(SMALL))
  const wrong = gzipSync(Buffer.alloc(10_000))
  registry.blobs.set(digestOf(wrong), wrong)
  const manifest = JSON.parse(registry.manifests.get("1")!.bytes.toString()) as { layers: Descriptor[] }
  manifest.layers[0] = { ...manifest.layers[0]!, digest: digestOf(wrong), size: wrong.length }
  registry.addManifest(manifest, "1")
  expect(layer.length).toBeGreaterThan(wrong.length)
  expect(await failure()).toContain("does not match its digest")
  await expectNothing()
})

for (const size of [-1, 1.5, 2 ** 60])
  test(`a layer of ${size} bytes is refused at once`, async () => {
    await addImage(randomBytes(SMALL), (one) => ({ ...one, size }))
    expect(await failure()).toMatch(/does not fit on this disk/)
    await expectNothing()
  })

test("a few bytes that unpack to very many are refused by the digest of what they unpack to", async () => {
  await addImage(
    new Uint8Array(0),
    (one) => one,
    () => zstdCompressSync(Buffer.alloc(64 << 20)),
  )
  expect(await failure()).toContain("does not match its digest")
  await expectNothing()
}, 30_000)

test("manifests that are no JSON, no object, an artifact or of the old schema are refused", async () => {
  for (const [body, message] of [
    ["<html>", "not JSON"],
    ["null", "unsupported media type"],
    ["[]", "unsupported media type"],
    ['{"schemaVersion":1,"name":"x"}', "unsupported media type"],
    ['{"schemaVersion":2,"manifests":[null]}', "unsupported media type"],
    ['{"schemaVersion":2,"manifests":[]}', "no matching manifest"],
    ['{"schemaVersion":2,"config":{"digest":"sha256:1","size":1},"layers":[]}', "unsupported media type"],
  ] as const) {
    const bytes = Buffer.from(body)
    registry.manifests.set("1", { bytes, type: MEDIA_TYPE.ociManifest })
    expect(await failure()).toContain(message)
    await f.collector.collect()
    await expectNothing()
  }
})

test("indexes that name one another in a circle or deeply end", async () => {
  let inner = registry.addManifest({ schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests: [] })
  for (let depth = 0; depth < 8; depth++)
    inner = registry.addManifest(
      {
        schemaVersion: 2,
        mediaType: MEDIA_TYPE.ociIndex,
        manifests: [{ ...inner, platform: hostPlatform() }],
      },
      "1",
    )
  expect(await failure()).toContain("indexes deep")
  await expectNothing()
})

describe("a server that", () => {
  let server: Server
  let calls = 0
  async function serve(handle: (path: string, response: ServerResponse) => void): Promise<void> {
    server = createServer((request, response) => {
      calls++
      handle(request.url ?? "", response)
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    name = `127.0.0.1:${(server.address() as AddressInfo).port}/app:1`
    calls = 0
  }
  afterEach(() => {
    server.closeAllConnections()
    server.close()
  })

  test("redirects in a circle is left after five hops", async () => {
    await serve((path, response) => void response.writeHead(307, { location: `${path}x` }).end())
    expect(await failure()).toMatch(/stopped after 5 redirects/)
    await expectNothing()
  })

  test("says 429 is asked again as it wishes, and then repeated in one line", async () => {
    await serve((path, response) => {
      if (path === "/v2/") return void response.end()
      response.writeHead(429, { "retry-after": "0", "content-type": "application/json" })
      response.end('{"errors":[{"code":"TOOMANYREQUESTS","message":"you have reached your limit"}]}')
    })
    expect(await failure()).toBe("toomanyrequests: you have reached your limit")
    expect(calls).toBeGreaterThanOrEqual(3)
    await expectNothing()
  })

  test("closes every connection is one line", async () => {
    await serve((_, response) => void response.destroy())
    const message = await failure()
    expect(message).toContain("/v2/app/manifests/1")
    expect(message).not.toContain("\n")
    await expectNothing()
  })
})
