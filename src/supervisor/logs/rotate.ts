// Keeps a running container's log within its bounds. The live file bears its number soon after it was begun (a hard link),
// so that whatever conmon puts in its place, told by us or when it grew while no engine was there, nothing of it is lost.
// The look-outs are as rare as growth allows; a log that does not grow costs one inotify watch.
import { createReadStream, createWriteStream, type FSWatcher, linkSync, renameSync, statSync, watch } from "node:fs"
import { pipeline } from "node:stream/promises"
import { createZstdCompress } from "node:zlib"
import { crashpoint } from "../../lib/crashpoint.ts"
import { errnoName } from "../../lib/errors.ts"
import { unlinkIfExists } from "../../lib/files.ts"
import { log } from "../../lib/log.ts"
import type { LogRotation } from "../contract.ts"
import { COMPRESSED, inodeOf, listSegments } from "./segments.ts"

const FIRST_LOOK_MS = 250
const SOONEST_LOOK_MS = 50
const LATEST_LOOK_MS = 1000

/** Gives the live file its number, where it has none yet. */
export function numberLive(path: string): boolean {
  const { segments } = listSegments(path)
  const live = segments.at(-1)
  if (live === undefined || live.path !== path) return false
  linkSync(path, `${path}.${live.number}`)
  crashpoint("supervisor.rotate:after-link")
  return true
}

/** Removes the oldest files but for `keep` and those from `needed` on. */
export function pruneRotated(path: string, keep: number, needed = Number.POSITIVE_INFINITY): void {
  const { segments } = listSegments(path)
  for (const { number } of segments.slice(0, Math.max(0, segments.length - keep))) {
    if (number >= needed) break
    unlinkIfExists(`${path}.${number}`)
    unlinkIfExists(`${path}.${number}${COMPRESSED}`)
  }
}

/** Compresses what was rotated and is written no more, oldest first. */
export async function compressRotated(path: string): Promise<void> {
  for (const { path: plain, compressed, inode } of listSegments(path).segments) {
    if (compressed || plain === path || inode === inodeOf(path)) continue
    const unfinished = `${plain}${COMPRESSED}.tmp`
    try {
      await pipeline(createReadStream(plain), createZstdCompress(), createWriteStream(unfinished, { mode: 0o600 }))
      // Pruned meanwhile: then nothing may come back under its number.
      if (inodeOf(plain) !== inode) continue
      renameSync(unfinished, `${plain}${COMPRESSED}`)
      unlinkIfExists(plain)
    } finally {
      unlinkIfExists(unfinished)
    }
  }
}

/** Looks after one log from the launch or adoption of its process until `stop`. */
export class LogKeeper {
  readonly #path: string
  readonly #reopen: () => void
  readonly #limit: number
  readonly #keep: number
  readonly #compress: boolean
  readonly #neededFrom: LogRotation["neededFrom"]
  #timer: ReturnType<typeof setTimeout> | undefined
  #watcher: FSWatcher | undefined
  #size = 0
  #lookedAt = performance.now()
  /** Files are waiting to be compressed, at first perhaps those of an earlier engine. */
  #toCompress: boolean
  #compressing = false
  #stopped = false

  constructor(path: string, { maxSize, maxFile, compress, neededFrom }: LogRotation, reopen: () => void) {
    this.#path = path
    this.#reopen = reopen
    // A single file would forget everything at each rotation; two of half the size keep the same bound.
    this.#limit = maxFile > 1 ? maxSize : Math.ceil(maxSize / 2)
    this.#keep = Math.max(2, maxFile)
    this.#toCompress = compress ?? false
    this.#compress = this.#toCompress
    this.#neededFrom = neededFrom
    this.#lookIn(FIRST_LOOK_MS)
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#watcher?.close()
  }

  #lookIn(milliseconds: number): void {
    if (this.#stopped) return
    this.#timer = setTimeout(() => {
      try {
        this.#look()
      } catch (error) {
        // A full disk, for one: the container goes on, and so do the attempts.
        log.warn("Cannot rotate a log", { path: this.#path, error: String(error) })
        this.#lookIn(LATEST_LOOK_MS)
      }
    }, milliseconds)
    this.#timer.unref()
  }

  #look(): void {
    const size = sizeOf(this.#path)
    const now = performance.now()
    const rate = (size - this.#size) / (now - this.#lookedAt)
    this.#size = size
    this.#lookedAt = now
    if (numberLive(this.#path)) {
      pruneRotated(this.#path, this.#keep, this.#neededFrom?.())
      this.#toCompress = this.#compress
    }
    if (size >= this.#limit) {
      this.#reopen()
      this.#lookIn(SOONEST_LOOK_MS)
    } else if (rate === 0) this.#awaitGrowth()
    else {
      const half = (this.#limit - size) / Math.max(rate, Number.EPSILON) / 2
      this.#lookIn(rate < 0 ? SOONEST_LOOK_MS : Math.min(LATEST_LOOK_MS, Math.max(SOONEST_LOOK_MS, half)))
    }
    if (this.#toCompress && !this.#compressing) this.#compressRotated()
  }

  #awaitGrowth(): void {
    const grown = (): void => {
      if (this.#watcher === undefined) return
      this.#watcher.close()
      this.#watcher = undefined
      this.#lookedAt = performance.now()
      this.#lookIn(SOONEST_LOOK_MS)
    }
    try {
      this.#watcher = watch(this.#path, { persistent: false }, grown)
      this.#watcher.on("error", grown)
      if (sizeOf(this.#path) !== this.#size) grown()
    } catch {
      // No watches left, or no log yet.
      this.#lookIn(LATEST_LOOK_MS)
    }
  }

  #compressRotated(): void {
    this.#toCompress = false
    this.#compressing = true
    compressRotated(this.#path)
      .catch((error: unknown) => log.warn("Cannot compress a log", { path: this.#path, error: String(error) }))
      .finally(() => {
        this.#compressing = false
      })
  }
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size
  } catch (error) {
    if (errnoName(error) === "ENOENT") return 0
    throw error
  }
}
