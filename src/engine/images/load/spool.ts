// Reads an image archive once, front to back, and puts every file where it will stay: layers unpacked to their tar,
// everything else as it is. Nothing is believed yet: a file only counts once a manifest names it and its digest fits.
import { posix } from "node:path"
import type { Lease } from "../../../content/contract.ts"
import { decompress, detectCompression } from "../../../lib/compression.ts"
import { DhowError, FULL_DISK } from "../../../lib/errors.ts"
import { readTar, type TarStreamEntry } from "../../../lib/tar/reader.ts"
import { type Digest, digestOf, isDigest } from "../../../oci/digest.ts"
import type { Progress } from "../../contract.ts"
import type { ImagesContext } from "../context.ts"
import { DOCUMENT_LIMIT, ENTRY_LIMIT, layerLimit } from "../limits.ts"
import { Sample } from "../recipes.ts"

/** A file of the archive in the content store. */
export type Spooled = {
  /** Digest and length of the bytes as the archive has them. */
  readonly digest: Digest
  readonly size: number
  /** Digest under which the plain bytes are stored: a layer's diff id. */
  readonly plain: Digest
}

export type Archive = {
  /** The file at a path of the archive, through links; undefined where there is none. */
  file(path: string): Spooled | undefined
  /** Of all files, links left out. */
  paths(): readonly string[]
  /** The file with this digest, from the archive or from what is already stored. */
  blob(digest: Digest): Spooled | undefined
  /** The bytes of a small file. */
  read(file: Spooled): Promise<Uint8Array>
}

type SpoolContext = Pick<ImagesContext, "content" | "layerSources" | "root">
type SpoolOptions = { readonly lease: Lease; readonly signal: AbortSignal; readonly progress?: Progress }
/** What is read into memory at once: manifests, configurations, tiny layers. */
const SMALL = 256 * 1024

/** How many bytes all files of the archive together may still unpack to. */
type Room = { left: number }

const DOCUMENTS: readonly string[] = ["manifest.json", "index.json", "oci-layout", "repositories"]

export async function spoolArchive(
  context: SpoolContext,
  source: AsyncIterable<Uint8Array>,
  options: SpoolOptions,
): Promise<Archive> {
  const files = new Map<string, Spooled>()
  const links = new Map<string, string>()
  const blobs = new Map<Digest, Spooled>()
  const { bytes } = await decompress(source, { signal: options.signal })
  const room = { left: layerLimit(context.root) }
  for await (const entry of readTar(bytes)) {
    const path = cleanPath(entry.path)
    if (files.size + links.size >= ENTRY_LIMIT)
      throw new DhowError("invalid", `Image archive has more than ${ENTRY_LIMIT} files`)
    if (entry.type === "symlink") links.set(path, cleanPath(posix.join(posix.dirname(path), entry.linkPath ?? "")))
    else if (entry.type === "hardlink") links.set(path, cleanPath(entry.linkPath ?? ""))
    if (entry.type !== "file") continue
    if (DOCUMENTS.includes(path) && entry.size > DOCUMENT_LIMIT)
      throw new DhowError("invalid", `"${path}" in the image archive is longer than ${DOCUMENT_LIMIT} bytes`)
    const spooled = await spoolFile(context, entry, { ...options, path, room })
    files.set(path, spooled)
    blobs.set(spooled.digest, spooled)
  }
  return {
    file(path) {
      let at = cleanPath(path)
      // A chain of links may be a circle; no honest archive has a long one.
      for (let hops = 0; hops < 8; hops++) {
        const found = files.get(at)
        if (found !== undefined) return found
        const next = links.get(at)
        if (next === undefined) return undefined
        at = next
      }
      return undefined
    },
    paths: () => [...files.keys()],
    blob: (digest) => blobs.get(digest) ?? storedBlob(context, digest, options.lease),
    read: (file) => context.content.read(file.plain, DOCUMENT_LIMIT),
  }
}

/** "./a/../b" as "b"; what would lead out of the archive stays within it. */
function cleanPath(path: string): string {
  return posix.join("/", path).slice(1)
}

async function spoolFile(
  context: SpoolContext,
  entry: TarStreamEntry,
  options: SpoolOptions & { readonly path: string; readonly room: Room },
): Promise<Spooled> {
  const { path, lease, room } = options
  const claimed = claimedDigest(path)
  const known = claimed === undefined ? undefined : storedBlob(context, claimed, lease)
  if (known !== undefined && known.size === entry.size) return known

  if (entry.size <= SMALL) {
    const bytes = await wholeOf(entry.content)
    if (bytes.length === entry.size && detectCompression(bytes) === "none")
      return await spoolSmall(context, bytes, { claimed, path, lease, room })
    return await spoolStream(context, entry, { ...options, claimed, content: once(bytes) })
  }
  return await spoolStream(context, entry, { ...options, claimed, content: entry.content })
}

type PlaceOptions = {
  readonly path: string
  readonly lease: Lease
  readonly room: Room
  readonly claimed: Digest | undefined
}

async function spoolSmall(
  { content }: SpoolContext,
  bytes: Uint8Array,
  { claimed, path, lease, room }: PlaceOptions,
): Promise<Spooled> {
  const digest = digestOf(bytes)
  if (claimed !== undefined && digest !== claimed) throw mismatch(path, digest)
  if (bytes.length > room.left)
    throw new DhowError("invalid", `Image archive unpacks to more than fits`, { hint: FULL_DISK })
  // Held before it is looked for: it may be there, and be about to go.
  lease.hold(digest)
  const blob = await content.put(bytes)
  room.left -= blob.size
  return { ...blob, plain: digest }
}

function mismatch(path: string, digest: string): DhowError {
  return new DhowError("invalid", `File "${path}" of the image archive does not match its digest: it is "${digest}"`)
}

async function wholeOf(content: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks = await Array.fromAsync(content)
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

async function spoolStream(
  context: SpoolContext,
  entry: TarStreamEntry,
  options: SpoolOptions & PlaceOptions & { readonly content: AsyncIterable<Uint8Array> },
): Promise<Spooled> {
  const { claimed, path, lease, room, signal, progress } = options
  const hasher = new Bun.CryptoHasher("sha256")
  const sample = new Sample()
  let hashing = true
  let read = 0
  const report = layerProgress(progress, (claimed?.slice("sha256:".length) ?? path).slice(0, 12), entry.size)
  async function* watched(): AsyncGenerator<Uint8Array> {
    for await (const chunk of options.content) {
      read += chunk.length
      if (hashing) hasher.update(chunk)
      sample.add(chunk)
      report(read)
      yield chunk
    }
  }
  const { compression, bytes } = await decompress(watched(), { signal })
  // A compressed file is hashed twice: as it came, because manifests name it so, and unpacked, because that is kept.
  hashing = compression !== "none"
  const expect = hashing ? {} : { size: entry.size, ...(claimed === undefined ? {} : { digest: claimed }) }
  const plain = await context.content.ingest(bytes, { expect, limit: room.left, signal })
  lease.hold(plain.digest)
  room.left -= plain.size
  if (!hashing) return { ...plain, plain: plain.digest }

  const digest = `sha256:${hasher.digest("hex")}` as Digest
  if (read !== entry.size || (claimed !== undefined && digest !== claimed)) throw mismatch(path, digest)
  const mediaType = `application/vnd.oci.image.layer.v1.tar+${compression}`
  context.layerSources.remember({
    digest,
    diff_id: plain.digest,
    media_type: mediaType,
    size: entry.size,
    sample: sample.bytes,
  })
  return { digest, size: entry.size, plain: plain.digest }
}

/** "blobs/sha256/<hex>" says what its bytes must hash to. */
function claimedDigest(path: string): Digest | undefined {
  const [, hex] = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(path) ?? []
  const digest = `sha256:${hex}`
  return isDigest(digest) ? digest : undefined
}

/** What is stored already under this digest, kept from collection. Held first, looked for second: never the reverse. */
function storedBlob({ content, layerSources }: SpoolContext, digest: Digest, lease: Lease): Spooled | undefined {
  lease.hold(digest)
  const blob = content.stat(digest)
  if (blob !== undefined) return { ...blob, plain: digest }
  const source = layerSources.find(digest)
  if (source === undefined) return undefined
  lease.hold(source.diff_id)
  return content.has(source.diff_id) ? { digest, size: source.size, plain: source.diff_id } : undefined
}

const REPORT_EVERY = 1 << 20

function layerProgress(progress: Progress | undefined, id: string, total: number): (current: number) => void {
  let next = REPORT_EVERY
  return (current) => {
    // Small files are no layers worth a bar.
    if (progress === undefined || total < REPORT_EVERY || (current < next && current !== total)) return
    next = current + REPORT_EVERY
    progress({ status: "Loading layer", progressDetail: { current, total }, id })
  }
}
