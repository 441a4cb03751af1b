// Reads a tar archive from a stream, one entry at a time: the archive is never in memory, and a reader that stops
// reading stops the source.
import { padded, type TarEntry } from "./entry.ts"
import { type ParseState, pullEntry } from "./parse.ts"
import { truncated } from "./pull.ts"

export type TarStreamEntry = TarEntry & {
  /** The file's bytes, holes as zeros. Readable once, before the next entry is asked for; what is left is skipped. */
  readonly content: AsyncIterable<Uint8Array>
}

const HOLE = new Uint8Array(64 * 1024)

export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarStreamEntry, void> {
  await using input = new Input(source)
  const state: ParseState = { globals: new Map() }
  for (;;) {
    const parser = pullEntry(state)
    let step = parser.next()
    while (step.done !== true) step = parser.next(await input.take(step.value))
    if (step.value === undefined) return
    const { entry, stored } = step.value
    const end = input.position + stored
    yield { ...entry, content: content(input, entry, end) }
    await input.skip(end - input.position, entry.path)
    // Padding that the archive's end cuts off harms nobody.
    await input.take(padded(stored) - stored)
  }
}

async function* content(input: Input, entry: TarEntry, end: number): AsyncGenerator<Uint8Array> {
  let at = 0
  for (const { offset, length } of entry.sparse ?? [{ offset: 0, length: entry.size }]) {
    yield* hole(offset - at)
    for (let left = length; left > 0; ) {
      if (input.position + left > end) return
      const chunk = await input.some(left)
      if (chunk === undefined) throw truncated(entry.path)
      left -= chunk.length
      yield chunk
    }
    at = offset + length
  }
  yield* hole(entry.size - at)
}

function* hole(length: number): Generator<Uint8Array> {
  for (let left = length; left > 0; left -= HOLE.length) yield left < HOLE.length ? HOLE.subarray(0, left) : HOLE
}

/** Bytes of the source in the amounts that a parser asks for. */
class Input implements AsyncDisposable {
  readonly #source: AsyncIterator<Uint8Array>
  #chunk: Uint8Array = new Uint8Array(0)
  position = 0

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** `length` bytes, fewer only where the source ends. */
  async take(length: number): Promise<Uint8Array> {
    if (this.#chunk.length >= length && length > 0) return this.#cut(length)
    const parts: Uint8Array[] = []
    let have = 0
    while (have < length) {
      const part = await this.some(length - have)
      if (part === undefined) break
      parts.push(part)
      have += part.length
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
  }

  /** Between 1 and `limit` bytes, undefined where the source ends. */
  async some(limit: number): Promise<Uint8Array | undefined> {
    while (this.#chunk.length === 0) {
      const next = await this.#source.next()
      if (next.done === true) return undefined
      this.#chunk = next.value
    }
    return this.#cut(Math.min(limit, this.#chunk.length))
  }

  async skip(length: number, path: string): Promise<void> {
    for (let left = length; left > 0; ) {
      const part = await this.some(left)
      if (part === undefined) throw truncated(path)
      left -= part.length
    }
  }

  #cut(length: number): Uint8Array {
    const part = this.#chunk.subarray(0, length)
    this.#chunk = this.#chunk.subarray(length)
    this.position += length
    return part
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#source.return?.()
  }
}
