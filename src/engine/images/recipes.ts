// How a layer's tar becomes the very bytes again that a registry knows it by: recorded where they were made here, found
// out from the first bytes where they came from elsewhere. A recipe is a hope until the digest of what it makes fits.
import { createReadStream } from "node:fs"
import { compress, detectCompression } from "../../lib/compression.ts"
import { gzipMember, gzipMembers, MEMBER_SIZE, type MemberLevel } from "../../lib/gzip-members.ts"

export type Recipe = {
  readonly kind: "gzip" | "zstd"
  readonly level: number
  /** Compressed in members (lib/gzip-members.ts), as this engine does it where nobody asks for a level. */
  readonly members?: true
  /** Hexadecimal; where it is another than this runtime writes. */
  readonly header?: string
}

const READ_SIZE = 1 << 20
const SAMPLE_SIZE = 4096
/** A block of gzip may hold as much, and says nothing before it ends. */
const TRIED = 4 << 20
const GZIP_HEADER = 10
const GZIP_LEVELS = [6, 9, 1, 5, 4, 7, 8, 3, 2]
const ZSTD_LEVELS = [3, 1, 6, 9, 2, 4, 5, 7, 8, 10, 11, 12]

type Bytes = AsyncIterable<Uint8Array>

/** The first bytes of a compressed layer, kept to recognize its maker by. */
export class Sample {
  #bytes = Buffer.alloc(0)

  add(chunk: Uint8Array): void {
    if (this.#bytes.length < SAMPLE_SIZE)
      this.#bytes = Buffer.concat([this.#bytes, chunk.subarray(0, SAMPLE_SIZE - this.#bytes.length)])
  }

  get bytes(): Uint8Array {
    return this.#bytes
  }
}

/** How layers are compressed where nobody says how. */
export const USUAL_RECIPE: Recipe = { kind: "gzip", level: 2, members: true }

/** What remake() makes, out of a file. */
export function remakeFile(
  recipe: Recipe,
  path: string,
  options: { readonly internalCommand: readonly string[]; readonly signal: AbortSignal },
): Bytes {
  if (recipe.members === true) return gzipMembers(path, { ...options, level: recipe.level as MemberLevel })
  return remake(recipe, createReadStream(path, { highWaterMark: READ_SIZE }), options)
}

/** The compressed bytes; whether they are the promised ones, their digest tells. */
function remake(recipe: Recipe, plain: Bytes, options: { readonly signal: AbortSignal }): Bytes {
  const { kind, level, header } = recipe
  const made = compress(kind, plain, { level, ...options })
  return header === undefined ? made : withHeader(made, Buffer.from(header, "hex"))
}

/** Undefined where none of the ways to compress that this runtime knows begins like the sample. */
export async function findRecipe(
  sample: Uint8Array,
  plain: () => Bytes,
  options: { readonly signal: AbortSignal },
): Promise<Recipe | undefined> {
  const candidates = candidatesFor(sample)
  if (candidates.length === 0) return undefined
  const beginning = await firstBytes(plain(), TRIED)
  for (const recipe of candidates) {
    const made =
      recipe.members === true
        ? gzipMember(beginning.subarray(0, MEMBER_SIZE), recipe.level as MemberLevel).subarray(0, sample.length)
        : await firstBytes(remake(recipe, pieces(beginning), options), sample.length)
    if (Buffer.compare(made, sample.subarray(0, made.length)) === 0 && made.length === sample.length) return recipe
  }
  return undefined
}

function candidatesFor(sample: Uint8Array): readonly Recipe[] {
  const compression = detectCompression(sample)
  if (compression === "zstd") return ZSTD_LEVELS.map((level) => ({ kind: "zstd", level }))
  const length = compression === "gzip" ? gzipHeaderLength(sample) : undefined
  if (length === undefined) return []
  const header = Buffer.from(sample.subarray(0, length)).toString("hex")
  return [USUAL_RECIPE, ...GZIP_LEVELS.map((level): Recipe => ({ kind: "gzip", level, header }))]
}

/** RFC 1952, 2.3: ten bytes, and what the flags say follows. */
function gzipHeaderLength(bytes: Uint8Array): number | undefined {
  const flags = bytes[3] ?? 0
  let at = GZIP_HEADER
  if ((flags & 0x04) !== 0) at += 2 + (bytes[at] ?? 0) + ((bytes[at + 1] ?? 0) << 8)
  for (const flag of [0x08, 0x10])
    if ((flags & flag) !== 0) {
      const end = bytes.indexOf(0, at)
      if (end < 0) return undefined
      at = end + 1
    }
  if ((flags & 0x02) !== 0) at += 2
  return at < bytes.length ? at : undefined
}

async function* withHeader(made: Bytes, header: Uint8Array): AsyncGenerator<Uint8Array> {
  yield header
  let skip = GZIP_HEADER
  for await (const chunk of made) {
    const rest = chunk.subarray(Math.min(skip, chunk.length))
    skip -= chunk.length - rest.length
    if (rest.length > 0) yield rest
  }
}

async function firstBytes(source: Bytes, most: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of source) {
    chunks.push(chunk)
    length += chunk.length
    if (length >= most) break
  }
  return Buffer.concat(chunks).subarray(0, most)
}

/** In the steps in which files are read: what a compressor makes may depend on them. */
async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1 << 20) yield bytes.subarray(at, at + (1 << 20))
}
