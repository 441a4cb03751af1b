// Image layers of two sizes, the same on every machine but for one small file in front: every sample gets a layer that no
// store has seen, without compressing again what is the same.
import { randomBytes } from "node:crypto"
import { createReadStream, createWriteStream, statSync } from "node:fs"
import { open } from "node:fs/promises"
import { join } from "node:path"
import { pipeline } from "node:stream/promises"
import { constants, crc32, createDeflateRaw, deflateRawSync } from "node:zlib"
import { encodeTarHeader, type TarInput, writeTar } from "../../src/lib/tar/writer.ts"

export type LayerSize = {
  readonly files: number
  readonly bytes: number
  /** How much of the whole the largest files take: sizes fall with this power of the rank. */
  readonly slope: number
}

/** What all layers of one size have in common. */
export type Base = {
  /** The tar from its second entry on. */
  readonly tar: string
  /** The same as deflate has it: blocks that stand for themselves, and end without saying so. */
  readonly deflated: string
}

/** A layer like no other. */
export type Layer = {
  readonly first: Uint8Array
  readonly base: Base
  readonly digest: string
  readonly size: number
}

const READ_SIZE = 1 << 20

export async function makeBase(directory: string, name: string, size: LayerSize): Promise<Base> {
  const tar = join(directory, `${name}.tar`)
  await using file = await open(tar, "wx")
  for await (const chunk of writeTar(entries(size))) await file.writeFile(chunk)
  const deflated = join(directory, `${name}.deflated`)
  const deflate = createDeflateRaw({ level: 6, finishFlush: constants.Z_FULL_FLUSH })
  await pipeline(createReadStream(tar, { highWaterMark: READ_SIZE }), deflate, createWriteStream(deflated))
  return { tar, deflated }
}

export async function freshLayer(base: Base): Promise<Layer> {
  const content = randomBytes(512)
  const first = Buffer.concat([encodeTarHeader({ path: "fresh", type: "file", size: content.length }), content])
  const hasher = new Bun.CryptoHasher("sha256").update(first)
  for await (const chunk of read(base.tar)) hasher.update(chunk)
  return { first, base, digest: hasher.digest("hex"), size: first.length + statSync(base.tar).size }
}

/** The layer as a tarball. */
export async function writeLayer(layer: Layer, path: string): Promise<void> {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield layer.first
    yield* read(layer.base.tar)
  }
  await write(path, chunks())
}

/** The layer as registries hold it; returns its digest and size. */
export async function writeGzip(layer: Layer, path: string): Promise<{ digest: string; size: number }> {
  const hasher = new Bun.CryptoHasher("sha256")
  const none = new Uint8Array(0)
  await write(path, gzipped(layer.first, layer.base, none), hasher)
  return { digest: hasher.digest("hex"), size: statSync(path).size }
}

/** An image of the one layer as `docker save | gzip` leaves it. */
export async function writeArchive(layer: Layer, path: string, reference: string): Promise<void> {
  const config = imageConfig(layer)
  const name = `${new Bun.CryptoHasher("sha256").update(config).digest("hex")}.json`
  const manifest = Buffer.from(JSON.stringify([{ Config: name, RepoTags: [reference], Layers: ["layer/layer.tar"] }]))
  const small = await Array.fromAsync(
    writeTar([
      { path: name, type: "file", content: config },
      { path: "manifest.json", type: "file", content: manifest },
    ]),
  )
  // Without the end of the archive that writeTar() adds; tars are whole blocks, so the layer's end needs no padding.
  const head = [...small.slice(0, -1), encodeTarHeader({ path: "layer/layer.tar", type: "file", size: layer.size })]
  await write(path, gzipped(Buffer.concat([...head, layer.first]), layer.base, small.at(-1)!))
}

/** One gzip member of what comes before the base, the base, and what comes behind it. */
async function* gzipped(before: Uint8Array, { tar, deflated }: Base, behind: Uint8Array): AsyncGenerator<Uint8Array> {
  yield Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])
  yield deflateRawSync(before, { finishFlush: constants.Z_FULL_FLUSH })
  yield* read(deflated)
  yield deflateRawSync(behind)
  let sum = crc32(before)
  for await (const chunk of read(tar)) sum = crc32(chunk, sum)
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(crc32(behind, sum), 0)
  trailer.writeUInt32LE((before.length + statSync(tar).size + behind.length) % 2 ** 32, 4)
  yield trailer
}

export function imageConfig({ digest }: Layer): Uint8Array {
  const architecture = process.arch === "arm64" ? "arm64" : "amd64"
  const rootfs = { type: "layers", diff_ids: [`sha256:${digest}`] }
  return Buffer.from(JSON.stringify({ architecture, os: "linux", config: {}, rootfs, history: [] }))
}

async function write(path: string, chunks: AsyncIterable<Uint8Array>, hasher?: Bun.CryptoHasher): Promise<void> {
  await using file = await open(path, "w")
  for await (const chunk of chunks) {
    hasher?.update(chunk)
    await file.writeFile(chunk)
  }
}

function read(path: string): AsyncIterable<Uint8Array> {
  return createReadStream(path, { highWaterMark: READ_SIZE })
}

/** Xorshift: the same bytes everywhere; every other run of 64 repeats, so that they compress about as programs do. */
function bytes(length: number, seed: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4))
  let state = seed * 2654435761 + 1
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[index] = (index >> 4) % 2 === 0 ? state : (words[index - 16] ?? 0)
  }
  return new Uint8Array(words.buffer, 0, length)
}

/** Many small files and few large ones. */
export function* entries({ files, bytes: sum, slope }: LayerSize): Generator<TarInput> {
  const weight = (index: number): number => 1 / (index + 20) ** slope
  const directories = Math.ceil(files / 15)
  let total = 0
  for (let index = 0; index < files; index++) total += weight(index)
  yield { path: "usr", type: "directory" }
  for (let index = 0; index < files; index++) {
    const directory = `usr/d${index % directories}`
    if (index < directories) yield { path: directory, type: "directory" }
    const size = Math.round((weight(index) / total) * sum)
    yield { path: `${directory}/f${index}`, type: "file", content: bytes(size, index + 1) }
  }
}
