// A bound on bytes per second for everything that shares it: a bucket that fills steadily, and may be overdrawn by one
// chunk, which whoever comes next waits for.
import { pause } from "./retry.ts"

const BURST_SECONDS = 0.25
const LEAST_BURST = 64 << 10

export class RateLimit {
  readonly #perSecond: number
  readonly #most: number
  #filled: number
  #at = performance.now()

  constructor(bytesPerSecond: number) {
    this.#perSecond = bytesPerSecond
    this.#most = Math.max(bytesPerSecond * BURST_SECONDS, LEAST_BURST)
    this.#filled = this.#most
  }

  /** Resolves when the bytes may pass. */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    const now = performance.now()
    this.#filled = Math.min(this.#most, this.#filled + ((now - this.#at) / 1000) * this.#perSecond) - bytes
    this.#at = now
    if (this.#filled < 0) await pause((-this.#filled / this.#perSecond) * 1000, signal)
  }
}

/** The source at no more than the limit; without one, the source itself. */
export function limited(
  source: AsyncIterable<Uint8Array>,
  limit: RateLimit | undefined,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  if (limit === undefined) return source
  async function* slowed(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      await limit!.take(chunk.length, signal)
      yield chunk
    }
  }
  return slowed()
}
