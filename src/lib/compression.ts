// Compressed streams by what their first bytes say, never by name. Memory is bounded and a slow reader slows the source.
// gzip goes through node:zlib with large chunks: of the ways that stream it was the fastest (docs/performance.md).
import { spawn } from "node:child_process"
import { Readable, type Writable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { constants, createGunzip, createGzip, createZstdCompress, createZstdDecompress } from "node:zlib"
import { DhowError, errnoName } from "./errors.ts"
import { ZstdFrames } from "./zstd-frames.ts"

export type Compression = "none" | "gzip" | "zstd" | "xz" | "bzip2"

const MAGIC: readonly (readonly [Compression, readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b, 0x08]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["bzip2", [0x42, 0x5a, 0x68]],
]
const MAGIC_LENGTH = 6
const CHUNK = 256 * 1024

export function detectCompression(head: Uint8Array): Compression {
  return MAGIC.find(([, magic]) => magic.every((byte, at) => head[at] === byte))?.[0] ?? "none"
}

export type Detected = {
  readonly compression: Compression
  /** The plain bytes; stopping early stops the source. */
  readonly bytes: AsyncIterable<Uint8Array>
}

/** Looks at the first bytes and gives the plain ones, which are the source's own where nothing is compressed. */
export async function decompress(
  source: AsyncIterable<Uint8Array>,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Detected> {
  const iterator = source[Symbol.asyncIterator]()
  const head: Uint8Array[] = []
  for (let length = 0; length < MAGIC_LENGTH; ) {
    const next = await iterator.next()
    if (next.done === true) break
    head.push(next.value)
    length += next.value.length
  }
  const compression = detectCompression(Buffer.concat(head.map((chunk) => chunk.subarray(0, MAGIC_LENGTH))))
  return { compression, bytes: decompressAs(compression, replay(head, iterator), options) }
}

/** The plain bytes of what is known to be compressed so. */
export function decompressAs(
  compression: Compression,
  source: AsyncIterable<Uint8Array>,
  options: { readonly signal?: AbortSignal } = {},
): AsyncIterable<Uint8Array> {
  switch (compression) {
    case "none":
      return source
    case "gzip":
      return through(source, "gzip", createGunzip({ chunkSize: CHUNK }), options.signal)
    case "zstd":
      return unzstd(source, options.signal)
    case "xz":
      return program(source, "xz", ["-dc", "--memlimit-decompress=256MiB"], options.signal)
    case "bzip2":
      return program(source, "bzip2", ["-dc"], options.signal)
    default:
      return compression satisfies never
  }
}

/** What a compressor is asked for where nobody says. */
export const DEFAULT_LEVEL = { gzip: 6, zstd: 3 } as const

/** Compresses deterministically: no name and no time get into the stream. */
export function compress(
  compression: "gzip" | "zstd",
  source: AsyncIterable<Uint8Array>,
  options: { readonly level?: number; readonly signal?: AbortSignal } = {},
): AsyncIterable<Uint8Array> {
  const { level = DEFAULT_LEVEL[compression], signal } = options
  const params = { [constants.ZSTD_c_checksumFlag]: 1, [constants.ZSTD_c_compressionLevel]: level }
  const transform =
    compression === "gzip" ? createGzip({ chunkSize: CHUNK, level }) : createZstdCompress({ chunkSize: CHUNK, params })
  return through(source, compression, transform, signal)
}

async function* replay(head: Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    for (const chunk of head.splice(0)) yield chunk
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
  } finally {
    await rest.return?.()
  }
}

async function* unzstd(source: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const frames = new ZstdFrames()
  async function* followed(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      frames.push(chunk)
      yield chunk
    }
  }
  yield* through(followed(), "zstd", createZstdDecompress({ chunkSize: CHUNK }), signal)
  if (!frames.complete) throw new DhowError("invalid", "The zstd stream is damaged or cut off")
}

async function* through(
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
  transform: NodeJS.ReadWriteStream & AsyncIterable<Uint8Array> & { destroy(): void },
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const fed = feed(source, transform as unknown as Writable, signal)
  try {
    for await (const chunk of transform) yield chunk
  } catch (error) {
    await fed.failure()
    throw new DhowError("invalid", `The ${compression} stream is damaged or cut off`, { cause: error })
  } finally {
    transform.destroy()
  }
  await fed.failure()
}

async function* program(
  source: AsyncIterable<Uint8Array>,
  name: "xz" | "bzip2",
  flags: readonly string[],
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const child = spawn(name, flags, { stdio: ["pipe", "pipe", "pipe"], ...(signal === undefined ? {} : { signal }) })
  const exited = new Promise<number | Error>((resolve) => {
    child.once("error", resolve)
    child.once("close", (status) => resolve(status ?? 1))
  })
  let complaint = ""
  child.stderr.on("data", (chunk: Buffer) => {
    if (complaint.length < 1000) complaint += chunk.toString()
  })
  const fed = feed(source, child.stdin, signal)
  try {
    for await (const chunk of child.stdout) yield chunk as Buffer
    const status = await exited
    await fed.failure()
    if (status instanceof Error && errnoName(status) === "ENOENT")
      throw new DhowError("unavailable", `Cannot read ${name} data: the program "${name}" is not installed`, {
        cause: status,
        hint: `Install the package ${name === "xz" ? "xz-utils" : "bzip2"}`,
      })
    if (status !== 0)
      throw new DhowError("invalid", `The ${name} stream is damaged or cut off`, {
        cause: status instanceof Error ? status : new Error(complaint.trim()),
      })
  } finally {
    child.kill("SIGKILL")
  }
}

/** Pumps the source into a stream. Its failure is told apart from the stream's: the source's own error is the truth. */
function feed(
  source: AsyncIterable<Uint8Array>,
  into: Writable,
  signal: AbortSignal | undefined,
): { failure(): Promise<void> } {
  let failed: { readonly error: unknown } | undefined
  // Not a plain loop: the stream throws its own failure into this generator, at the yield.
  async function* watched(): AsyncGenerator<Uint8Array> {
    const iterator = source[Symbol.asyncIterator]()
    try {
      for (;;) {
        const next = await nextOf(iterator, signal).catch((error: unknown) => {
          failed = { error }
          throw error
        })
        if (next.done === true) return
        yield next.value
      }
    } finally {
      await iterator.return?.()
    }
  }
  // The reader's side sees the stream end or fail; what matters here is only why.
  const done = pipeline(Readable.from(watched(), { objectMode: false }), into).catch(() => undefined)
  return {
    async failure() {
      await done
      if (failed !== undefined) throw failed.error
    },
  }
}

async function nextOf(
  iterator: AsyncIterator<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<IteratorResult<Uint8Array>> {
  if (signal?.aborted === true) throw new DhowError("cancelled", "Reading was cancelled", { cause: signal.reason })
  return await iterator.next()
}
