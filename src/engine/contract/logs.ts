// Logs beyond Docker's `logs`: several containers at once, containers that are gone, and clearing. References are ids,
// unique id prefixes or names.
import type { ClearedLog, LogUsage } from "../../wire/log.ts"
import type { LogOptions, StdStream } from "./streams.ts"

/** What is written is one line of one container, or a piece of a long one; it ends with a newline where the line does. */
export type LineSink = {
  write(source: number, stream: StdStream, line: Uint8Array): boolean
  drained(): Promise<void>
}

export interface Logs {
  /** Lines of all in the order of time. A container that is gone is found as long as its log is kept. */
  open(
    references: readonly string[],
    options: LogOptions,
  ): Promise<{ readonly names: readonly string[]; connect(sink: LineSink): Promise<void> }>
  /** Takes away what was logged so far; the log of a container that is gone altogether. */
  clear(reference: string): Promise<ClearedLog>
  usage(): Promise<LogUsage>
}
