// conmon's records to messages as Docker's drivers get them: one a line, without its newline; a line longer than 16 KiB in
// pieces of exactly that, and what a process leaves unfinished as a piece. What is half read can be saved and taken up.
import { randomBytes } from "node:crypto"
import { HEADER_LENGTH, NEWLINE, PARTIAL, readHeader, TIME_LENGTH } from "../../supervisor/logs/line.ts"

const LONGEST = 16 * 1024

export type LogMessage = {
  readonly stream: 1 | 2
  /** RFC 3339 with nanoseconds, UTC, always nine digits. */
  readonly time: string
  readonly line: Buffer
  /** Of a line in pieces. */
  readonly partial?: { readonly id: string; readonly ordinal: number; readonly last: boolean }
}

export type UnfinishedLine = {
  /** base64 */
  readonly text: string
  readonly time: string
  readonly partial?: { readonly id: string; readonly ordinal: number; readonly time: string }
}

type Pending = { bytes: Buffer; time: string; partial: { id: string; ordinal: number; time: string } | undefined }

export class MessageAssembler {
  /** By stream. */
  readonly #pending = new Map<1 | 2, Pending>()

  /** Gives whole messages to `emit`; they are views of `block`. Returns how many bytes at the end are no whole record. */
  take(block: Buffer, emit: (message: LogMessage) => void): number {
    let at = 0
    for (;;) {
      const newline = block.indexOf(NEWLINE, at)
      if (newline < 0) return block.length - at
      const header = readHeader(block, at, newline + 1)
      // Of another form: not conmon's, passed on as it stands.
      if (header === 0) this.#record(1, { text: block.subarray(at, newline), time: now(), partial: false }, emit)
      else
        this.#record(
          (header & 3) as 1 | 2,
          {
            text: block.subarray(at + HEADER_LENGTH, newline),
            time: `${block.toString("latin1", at, at + TIME_LENGTH)}Z`,
            partial: (header & PARTIAL) !== 0,
          },
          emit,
        )
      at = newline + 1
    }
  }

  /** The process has ended: what it left unfinished is said, and the next one begins anew. */
  end(emit: (message: LogMessage) => void): void {
    for (const [stream, { bytes, time, partial }] of this.#pending)
      if (bytes.length > 0) emit({ stream, ...piece(time, partial), line: bytes })
    this.#pending.clear()
  }

  save(): readonly (readonly [1 | 2, UnfinishedLine])[] {
    return [...this.#pending].map(([stream, { bytes, time, partial }]) => [
      stream,
      { text: bytes.toString("base64"), time, ...(partial === undefined ? {} : { partial: { ...partial } }) },
    ])
  }

  restore(saved: ReturnType<MessageAssembler["save"]>): void {
    for (const [stream, { text, time, partial }] of saved)
      this.#pending.set(stream, {
        bytes: Buffer.from(text, "base64"),
        time,
        partial: partial === undefined ? undefined : { ...partial },
      })
  }

  #record(
    stream: 1 | 2,
    { text, time, partial }: { text: Buffer; time: string; partial: boolean },
    emit: (message: LogMessage) => void,
  ): void {
    const pending = this.#pending.get(stream)
    if (pending === undefined && !partial && text.length < LONGEST) {
      emit({ stream, time, line: text })
      return
    }
    const line = pending ?? { bytes: Buffer.alloc(0), time, partial: undefined }
    line.bytes = line.bytes.length === 0 ? Buffer.from(text) : Buffer.concat([line.bytes, text])
    line.time = time
    while (line.bytes.length >= LONGEST) {
      const said = piece(time, line.partial)
      emit({ stream, ...said, line: line.bytes.subarray(0, LONGEST) })
      line.partial = { id: said.partial.id, ordinal: said.partial.ordinal + 1, time: said.time }
      line.bytes = line.bytes.subarray(LONGEST)
    }
    if (partial) {
      this.#pending.set(stream, line)
      return
    }
    this.#pending.delete(stream)
    if (line.partial === undefined) emit({ stream, time, line: line.bytes })
    else {
      const { id, ordinal, time: first } = line.partial
      emit({ stream, time: first, line: line.bytes, partial: { id, ordinal, last: true } })
    }
  }
}

/** All pieces of a line have the time of the first. */
function piece(time: string, partial: Pending["partial"]) {
  const { id, ordinal, time: first } = partial ?? { id: randomBytes(32).toString("hex"), ordinal: 1, time }
  return { time: first, partial: { id, ordinal, last: false } }
}

function now(): string {
  return `${new Date().toISOString().slice(0, -1)}000000Z`
}
