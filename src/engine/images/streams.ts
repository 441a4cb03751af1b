// Byte streams from outside as async iterables that a signal can end.
import { throwIfCancelled } from "../../lib/cancelled.ts"

/** The chunks of a request's body; an abort ends a read that waits for a client that says nothing more. */
export async function* chunksOf(stream: ReadableStream<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader()
  const stop = (): void => void reader.cancel(signal.reason).catch(() => undefined)
  signal.addEventListener("abort", stop)
  try {
    for (;;) {
      throwIfCancelled(signal)
      const { done, value } = await reader.read()
      throwIfCancelled(signal)
      if (done) return
      yield value
    }
  } finally {
    signal.removeEventListener("abort", stop)
    stop()
  }
}
