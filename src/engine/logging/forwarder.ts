// Feeds one container's driver from the engine's own log, behind the container's back: what conmon wrote is never lost
// to a crash of the engine. Where it was is kept in a file beside the log, written after the driver has taken a batch:
// what came after that is sent again by the next engine, so a receiver gets every line at least once.
import { renameSync, writeFileSync } from "node:fs"
import { crashpoint } from "../../lib/crashpoint.ts"
import { describeError } from "../../lib/errors.ts"
import { readIfExists } from "../../lib/files.ts"
import { log } from "../../lib/log.ts"
import { firstRecord, listSegments, type Segment } from "../../supervisor/logs/segments.ts"
import type { Position } from "../../supervisor/logs/tail.ts"
import { walkLog } from "../../supervisor/logs/walk.ts"
import type { LogDriver } from "./driver.ts"
import { type LogMessage, MessageAssembler } from "./messages.ts"

/** Between two notes of the position, while it moves. */
const SAVE_MS = 200
const HOLD_LOOK_MS = 500
const FIRST_RETRY_MS = 100
const LONGEST_RETRY_MS = 10_000

export type ForwarderOptions = {
  readonly id: string
  readonly path: string
  /** The position is kept there. */
  readonly notes: string
  readonly driver: LogDriver
  /** Bytes that may wait for a receiver that does not take them; what is older is dropped. Undefined: as much as is kept. */
  readonly backlog?: number | undefined
  /** Where the container is to wait instead: from how many bytes on, and how it is held up until the function returned is called. */
  readonly hold?: { readonly above: number; readonly begin: () => Promise<() => void> } | undefined
}

type Notes = {
  readonly position: Position
  /** Of the file it points into: a number may come again for another one. */
  readonly first: string
  readonly unfinished: ReturnType<MessageAssembler["save"]>
  readonly driver: unknown
}

export class Forwarder {
  readonly #options: ForwarderOptions
  readonly #assembler = new MessageAssembler()
  #notes: Notes | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #isOpen = false
  /** The receiver has not taken the last try. */
  isFailing = false
  #dropped = 0

  constructor(options: ForwarderOptions) {
    this.#options = options
  }

  /** Number of the oldest file that is still needed. */
  get needs(): number {
    return this.#notes?.position.number ?? 0
  }

  async open(): Promise<void> {
    await this.#options.driver.open()
    this.#isOpen = true
  }

  #begin(): void {
    this.#notes = readNotes(this.#options.notes)
    this.#assembler.restore(this.#notes?.unfinished ?? [])
    this.#options.driver.restore?.(this.#notes?.driver, () => this.#checkpoint())
    // What identifies the messages to the receiver is kept before the first is sent.
    if (this.#notes === undefined) this.#checkpoint()
  }

  /** Goes on where another driver was; or, where there was none, with what is logged from now on. */
  takeOver(): void {
    const { path, notes } = this.#options
    const last = listSegments(path).segments.at(-1)
    const end = { number: last?.number ?? 0, offset: last?.size ?? 0 }
    const known = readNotes(notes) ?? { position: end, first: beginning(path, end.number), unfinished: [] }
    this.#notes = { ...known, driver: undefined }
    this.#write()
  }

  /** Until `ended` and all is sent, or the signal fires. Without `ended`, to where the log ends now. */
  async run(ended: Promise<unknown> | undefined, signal: AbortSignal): Promise<void> {
    if (!this.#isOpen) await this.#retried(() => this.open(), signal)
    if (signal.aborted) return
    this.#begin()
    const { path } = this.#options
    await walkLog(
      { path, follow: ended, signal, from: (segments) => this.#position(segments) },
      { done: false, take: (block, end) => this.#take(block, end, signal) },
    )
    // Whoever comes next goes on from there.
    if (signal.aborted) return this.#write()
    const last: LogMessage[] = []
    this.#assembler.end((message) => last.push(message))
    if (last.length > 0) await this.#send(last, signal)
    if (!signal.aborted && this.#notes !== undefined) this.#note(this.#notes.position)
    this.#write()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#options.driver.close()
  }

  #position(segments: readonly Segment[]): Position | undefined {
    const notes = this.#notes
    if (notes === undefined) return undefined
    const { number, offset } = notes.position
    if (number === 0) return undefined
    const segment = segments.find((one) => one.number === number)
    if (
      segment !== undefined &&
      !segment.compressed &&
      (segment.size < offset || !firstRecord(segment.path).startsWith(notes.first))
    )
      return { number, offset: 0 }
    if (segment === undefined && segments.some((one) => one.number > number))
      log.warn("Lines of a log were dropped before they could be sent", { container: this.#options.id })
    return notes.position
  }

  async #take(block: Buffer, end: Position, signal: AbortSignal): Promise<number> {
    const messages: LogMessage[] = []
    const rest = this.#assembler.take(block, (message) => messages.push(message))
    if (messages.length > 0) await this.#send(messages, signal, end)
    if (!signal.aborted) this.#note({ number: end.number, offset: end.offset - rest })
    return rest
  }

  async #send(messages: readonly LogMessage[], signal: AbortSignal, end?: Position): Promise<void> {
    const { driver } = this.#options
    using _held = this.#holding(end)
    await this.#retried(
      () => driver.send(messages, signal),
      signal,
      () => end !== undefined && this.#overflows(end, messages.length),
    )
    crashpoint("logging.forward:after-send")
  }

  /** While the receiver keeps us waiting, the container waits too, once too much is unsent. */
  #holding(end: Position | undefined): Disposable {
    const { hold, id } = this.#options
    if (hold === undefined || end === undefined) return { [Symbol.dispose]: () => {} }
    let release: Promise<() => void> | undefined
    const timer = setInterval(() => {
      if (release !== undefined || this.#waiting(end) <= hold.above) return
      log.warn("A container waits: the receiver of its log does not take it", { container: id })
      release = hold.begin()
    }, HOLD_LOOK_MS)
    timer.unref()
    return {
      [Symbol.dispose]: () => {
        clearInterval(timer)
        release?.then((end) => end())
      },
    }
  }

  /** Bytes behind `end`, as they lie on the disk: compressed files count as what they take there. */
  #waiting(end: Position): number {
    let waiting = 0
    for (const { number, size } of listSegments(this.#options.path).segments)
      if (number > end.number) waiting += size
      else if (number === end.number) waiting += Math.max(0, size - end.offset)
    return waiting
  }

  /** Until it works, is given up by the driver's policy, or `giveUp` says so. */
  async #retried(work: () => Promise<void>, signal: AbortSignal, giveUp: () => boolean = () => false): Promise<void> {
    const { driver, id } = this.#options
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        if (failures > 0 && this.#isOpen) await driver.open()
        await work()
        this.isFailing = false
        return
      } catch (error) {
        if (signal.aborted) return
        this.isFailing = true
        if (failures === 0)
          log.warn("A log cannot be sent; trying again", { container: id, error: describeError(error) })
        if (driver.retry?.limit !== undefined && failures >= driver.retry.limit) {
          log.warn("Lines of a log were given up", { container: id, error: describeError(error) })
          return
        }
        if (giveUp()) return
        const growing = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures, 10))
        await pause(driver.retry?.delay ?? growing, signal)
      }
    }
  }

  #overflows(end: Position, count: number): boolean {
    const { backlog, id } = this.#options
    if (backlog === undefined || this.#waiting(end) <= backlog) return false
    if (this.#dropped === 0) log.warn("Lines of a log are dropped: its receiver does not take them", { container: id })
    this.#dropped += count
    return true
  }

  #note(position: Position): void {
    const { driver, path } = this.#options
    const known = this.#notes?.position.number === position.number ? this.#notes.first : undefined
    const first = known ?? beginning(path, position.number)
    this.#notes = { position, first, unfinished: this.#assembler.save(), driver: driver.save?.() }
    this.#timer ??= setTimeout(() => this.#write(), SAVE_MS)
  }

  /** Where the driver is now, with the position that the last batch ended at. */
  #checkpoint(): void {
    if (this.#notes === undefined)
      this.#notes = { position: { number: 0, offset: 0 }, first: "", unfinished: [], driver: undefined }
    this.#notes = { ...this.#notes, driver: this.#options.driver.save?.() }
    this.#write()
  }

  #write(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#notes === undefined) return
    const { notes, id } = this.#options
    try {
      writeFileSync(`${notes}.tmp`, JSON.stringify(this.#notes), { mode: 0o600 })
      renameSync(`${notes}.tmp`, notes)
    } catch (error) {
      // A full disk, or a container that is being removed.
      log.debug("Where a log's forwarding is cannot be noted", { container: id, error: describeError(error) })
    }
  }
}

function beginning(path: string, wanted: number): string {
  const segment = listSegments(path).segments.find(({ number }) => number === wanted)
  return segment === undefined || segment.compressed ? "" : firstRecord(segment.path)
}

function readNotes(path: string): Notes | undefined {
  const text = readIfExists(path)
  if (text === undefined) return undefined
  try {
    const notes = JSON.parse(text) as Notes
    return Number.isInteger(notes.position.number) && Number.isInteger(notes.position.offset) ? notes : undefined
  } catch {
    // Torn by a power failure: everything that is kept is sent again.
    return undefined
  }
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, milliseconds)
    function done(): void {
      clearTimeout(timer)
      signal.removeEventListener("abort", done)
      resolve()
    }
    signal.addEventListener("abort", done, { once: true })
  })
}
