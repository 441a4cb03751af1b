// Follows the frames of a zstd stream (RFC 8878, 3.1) without decompressing them, to know whether it ended where a frame
// ends: the decompressor of the runtime takes a stream that is cut off for a whole one.
const MAGIC = 0xfd2fb528
const SKIPPABLE = 0x184d2a50
const CHECKSUM_BYTES = 4

type Step = { readonly take: number } | { readonly skip: number }

export class ZstdFrames {
  readonly #walk = walk()
  #step: Step
  readonly #taken = Buffer.alloc(16)
  #have = 0
  #skipped = 0
  #position = 0

  constructor() {
    this.#step = this.#walk.next(this.#taken).value
  }

  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      const step = this.#step
      if ("skip" in step) {
        const length = Math.min(step.skip - this.#skipped, chunk.length - at)
        this.#skipped += length
        at += length
        this.#position += length
        if (this.#skipped === step.skip) this.#advance()
      } else {
        this.#taken[this.#have++] = chunk[at++]!
        this.#position++
        if (this.#have === step.take) this.#advance()
      }
    }
  }

  /** Whether what was pushed ends with a whole frame. */
  get complete(): boolean {
    return this.#position > 0 && "take" in this.#step && this.#step.take === 4 && this.#have === 0
  }

  #advance(): void {
    do {
      this.#have = 0
      this.#skipped = 0
      this.#step = this.#walk.next(this.#taken).value
    } while ("skip" in this.#step && this.#step.skip === 0)
  }
}

/** Only the magic of a frame is taken as four bytes at once; everything else is shorter or skipped. */
function* walk(): Generator<Step, never, Buffer> {
  for (;;) {
    const magic = (yield { take: 4 }).readUInt32LE(0)
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE) {
      const low = (yield { take: 2 }).readUInt16LE(0)
      const high = (yield { take: 2 }).readUInt16LE(0)
      yield { skip: high * 65536 + low }
    } else if (magic === MAGIC) yield* frame()
    // Anything else is the decompressor's to refuse.
    else for (;;) yield { skip: Number.MAX_SAFE_INTEGER }
  }
}

function* frame(): Generator<Step, void, Buffer> {
  const descriptor = (yield { take: 1 })[0]!
  const single = (descriptor & 0x20) !== 0
  const dictionary = [0, 1, 2, 4][descriptor & 3]!
  const content = [single ? 1 : 0, 2, 4, 8][descriptor >> 6]!
  yield { skip: (single ? 0 : 1) + dictionary + content }
  for (let last = false; !last; ) {
    const block = (yield { take: 3 }).readUIntLE(0, 3)
    last = (block & 1) === 1
    const repeated = ((block >> 1) & 3) === 1
    yield { skip: repeated ? 1 : block >> 3 }
  }
  yield { skip: (descriptor & 0x04) === 0 ? 0 : CHECKSUM_BYTES }
}
