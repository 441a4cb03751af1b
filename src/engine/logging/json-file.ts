// The json-file driver: Docker's file, rotated and compressed as Docker does it, for collectors that read it from the disk.
// The bytes follow from the engine's own log alone, so after a crash what was written already is counted and skipped:
// no line is there twice, and none is torn.
import { closeSync, createReadStream, createWriteStream, existsSync, fstatSync, openSync, renameSync } from "node:fs"
import { pipeline } from "node:stream/promises"
import { createGzip } from "node:zlib"
import { crashpoint } from "../../lib/crashpoint.ts"
import { describeError, errnoName } from "../../lib/errors.ts"
import { unlinkIfExists, writeAll } from "../../lib/files.ts"
import { log } from "../../lib/log.ts"
import type { LogDriver } from "./driver.ts"
import { extraAttributes, goJson, type LogInfo, logTag } from "./info.ts"
import { JsonLines } from "./json-line.ts"
import type { LogMessage } from "./messages.ts"
import { parseBool, parseHumanSize, parseInteger } from "./values.ts"

const MODE = 0o640

type Saved = {
  /** Of the file written to, and its bytes. */
  readonly inode: number
  readonly size: number
  /** Bytes written since the position that this is kept with. */
  readonly written: number
}

export class JsonFile implements LogDriver {
  readonly #path: string
  readonly #limit: number
  readonly #maxFile: number
  readonly #compress: boolean
  readonly #lines: JsonLines
  #fd: number | undefined
  #size = 0
  #written = 0
  /** Bytes that an earlier engine wrote after it last noted where it was. */
  #skip = 0
  #checkpoint: () => void = () => {}
  #compressing: Promise<void> = Promise.resolve()

  constructor(path: string, info: LogInfo) {
    const { options } = info
    this.#path = path
    this.#limit = options["max-size"] === undefined ? Number.POSITIVE_INFINITY : parseHumanSize(options["max-size"])
    this.#maxFile = parseInteger(options["max-file"] ?? "1")
    this.#compress = parseBool(options["compress"] ?? "false")
    const extra = extraAttributes(info)
    const tag = logTag(info, "")
    if (tag !== "") extra["tag"] = tag
    this.#lines = new JsonLines(Object.keys(extra).length === 0 ? "" : goJson(extra))
  }

  async open(): Promise<void> {
    if (this.#fd === undefined) this.#openFile()
  }

  #openFile(): void {
    this.#fd = openSync(this.#path, "a", MODE)
    this.#size = fstatSync(this.#fd).size
  }

  restore(saved: Saved | undefined, checkpoint: () => void): void {
    this.#checkpoint = checkpoint
    // The last run's lines may have been written, and rotated, since it was opened.
    this.close()
    this.#openFile()
    if (saved === undefined) return
    const { ino } = fstatSync(this.#fd!)
    this.#skip = saved.written + Math.max(0, this.#size - (ino === saved.inode ? saved.size : 0))
  }

  save(): Saved {
    // What is still to be skipped lies behind the position that this is kept with.
    return { inode: fstatSync(this.#fd!).ino, size: this.#size - this.#skip, written: this.#written }
  }

  async send(messages: readonly LogMessage[]): Promise<void> {
    this.#written = 0
    for (const { stream, line, time, partial } of messages) {
      if (this.#size + this.#lines.length >= this.#limit) {
        this.#flush()
        // A line that a crash tore is ended first.
        if (this.#size >= this.#limit && this.#skip === 0) await this.#rotate()
      }
      this.#lines.add(stream, line, { time, newline: partial === undefined || partial.last })
    }
    this.#flush()
    this.#written = 0
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  #flush(): void {
    const bytes = this.#lines.drain()
    const known = Math.min(this.#skip, bytes.length)
    this.#skip -= known
    this.#written += bytes.length
    if (known === bytes.length) return
    const begun = this.#size
    try {
      writeAll(this.#fd!, bytes.subarray(known))
      this.#size += bytes.length - known
    } catch (error) {
      // A full disk: what of it was written stays, and the rest follows when there is room.
      this.#size = fstatSync(this.#fd!).size
      this.#skip = this.#written - bytes.length + known + (this.#size - begun)
      throw error
    }
  }

  async #rotate(): Promise<void> {
    await this.#compressing
    this.#checkpoint()
    crashpoint("logging.json-file:before-rotation")
    this.close()
    const suffix = this.#compress ? ".gz" : ""
    // What an earlier engine did not get to.
    if (this.#compress && existsSync(`${this.#path}.1`)) await compress(`${this.#path}.1`)
    if (this.#maxFile > 1) {
      unlinkIfExists(`${this.#path}.${this.#maxFile - 1}${suffix}`)
      for (let number = this.#maxFile - 1; number > 1; number--)
        renameIfExists(`${this.#path}.${number - 1}${suffix}`, `${this.#path}.${number}${suffix}`)
      renameIfExists(this.#path, `${this.#path}.1`)
    } else unlinkIfExists(this.#path)
    crashpoint("logging.json-file:after-rotation")
    this.#openFile()
    if (this.#compress && this.#maxFile > 1) this.#compressing = compress(`${this.#path}.1`)
  }
}

async function compress(path: string): Promise<void> {
  try {
    await pipeline(createReadStream(path), createGzip(), createWriteStream(`${path}.gz`, { mode: MODE }))
    unlinkIfExists(path)
  } catch (error) {
    unlinkIfExists(`${path}.gz`)
    if (errnoName(error) !== "ENOENT") log.warn("Cannot compress a rotated log", { path, error: describeError(error) })
  }
}

function renameIfExists(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if (errnoName(error) !== "ENOENT") throw error
  }
}
