// The last lines of a container's log, both streams in the order in which they were written, each cut to what a person
// reads of it.

import type { LogSink } from "../../supervisor/contract.ts"
import { readLog } from "../../supervisor/logs/read.ts"
import type { LogLine } from "../../wire/exit.ts"

const LINES = 20
const LONGEST = 400
/** A single line may be a gigabyte: what is read of a log is bounded. */
const BYTES = 1024 * 1024

export async function lastLines(path: string): Promise<LogLine[]> {
  const lines = new Lines()
  await readLog({ path, stdout: true, stderr: true, timestamps: false, tail: LINES, signal: lines.signal }, lines)
  return lines.take()
}

/** Takes output in chunks and keeps the last whole lines of it, and what a stream ended with. */
export class Lines implements LogSink {
  readonly #enough = new AbortController()
  readonly #lines: LogLine[] = []
  readonly #open: { 1: Buffer[]; 2: Buffer[] } = { 1: [], 2: [] }
  #left = BYTES

  get signal(): AbortSignal {
    return this.#enough.signal
  }

  write(stream: 1 | 2, chunk: Uint8Array): boolean {
    this.#left -= chunk.length
    if (this.#left < 0) this.#enough.abort()
    let from = 0
    for (let newline = chunk.indexOf(10); newline >= 0; newline = chunk.indexOf(10, from)) {
      this.#add(stream, chunk.subarray(from, newline))
      this.#close(stream)
      from = newline + 1
    }
    if (from < chunk.length) this.#add(stream, chunk.subarray(from))
    return true
  }

  async drained(): Promise<void> {}

  end(): void {
    for (const stream of [1, 2] as const) if (this.#open[stream].length > 0) this.#close(stream)
  }

  take(): LogLine[] {
    return this.#lines.slice(-LINES)
  }

  #add(stream: 1 | 2, part: Uint8Array): void {
    const kept = this.#open[stream].reduce((sum, { length }) => sum + length, 0)
    // Four bytes are the longest character.
    if (kept < 4 * LONGEST) this.#open[stream].push(Buffer.from(part.subarray(0, 4 * LONGEST - kept)))
  }

  #close(stream: 1 | 2): void {
    const text = Buffer.concat(this.#open[stream]).toString()
    this.#open[stream] = []
    this.#lines.push({ Stream: stream === 1 ? "stdout" : "stderr", Text: cut(text.replace(/\r$/, "")) })
    if (this.#lines.length > 2 * LINES) this.#lines.splice(0, LINES)
  }
}

function cut(text: string): string {
  const letters = [...text]
  return letters.length <= LONGEST ? text : `${letters.slice(0, LONGEST).join("")}…`
}
