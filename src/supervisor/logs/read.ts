// Reads a container's log for a client: all of it or its last lines, then on as it grows. A slow reader is waited for and
// never slows the container, which writes to the file and knows nothing of readers.
import type { LogSink, ReadLogOptions } from "../contract.ts"
import { LogDecoder } from "./decoder.ts"
import type { Segment } from "./segments.ts"
import { findTail, type Position } from "./tail.ts"
import { walkLog } from "./walk.ts"

/** Resolves when all was delivered, or the signal fired; `sink.end` has been called then, exactly once. */
export async function readLog(options: ReadLogOptions, sink: LogSink): Promise<void> {
  const decoder = new LogDecoder(options)
  const { path, follow, until, signal } = options
  try {
    await walkLog(
      { path, follow, until, signal, from: (segments) => beginning(segments, options) },
      {
        get done() {
          return decoder.pastUntil
        },
        take(block) {
          let full = false
          const rest = decoder.decode(block, (stream, chunk) => {
            if (!sink.write(stream, chunk)) full = true
          })
          return full ? sink.drained().then(() => rest) : rest
        },
      },
    )
  } finally {
    sink.end()
  }
}

/** Where to begin for the last lines, or for those since a time. */
export function beginning(
  segments: readonly Segment[],
  { tail, since }: Pick<ReadLogOptions, "tail" | "since">,
): Promise<Position | undefined> | Position | undefined {
  if (tail !== undefined) return findTail(segments, tail)
  if (since === undefined) return undefined
  const number = segments.find(({ modified }) => modified >= since)?.number ?? segments.at(-1)?.number ?? 0
  return { number, offset: 0 }
}
