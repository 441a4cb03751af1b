// What is mounted for volumes. The kernel says whether something is; who needs it are the containers that run, and whoever
// holds it in this process. It is mounted for the first of them and let go after the last, by processes with a time limit,
// so that a server that does not answer holds up those who ask for its files and nobody else.
import { existsSync, renameSync, rmSync } from "node:fs"
import { dirname } from "node:path"
import { crashpoint } from "../../lib/crashpoint.ts"
import { DhowError, describeError } from "../../lib/errors.ts"
import { syncDirectory } from "../../lib/files.ts"
import { KeyedLock } from "../../lib/keyed-lock.ts"
import { log } from "../../lib/log.ts"
import { mountedAt } from "../../lib/mountinfo.ts"
import { askVolume, NoAnswer } from "../../volume/ask.ts"
import type { FileSystemUsage, Look, VolumeRequest } from "../../volume/request.ts"
import type { VolumePlaces } from "./places.ts"
import { isForeign, isMountable, type Volume } from "./record.ts"

/** mkfs of a large file takes a while on a slow disk. */
const FORMAT_LIMIT_MS = 10 * 60_000
/** Whoever lists volumes does not wait for each server as long as a container would. */
const USAGE_LIMIT_MS = 3000

/** Where the file system of a volume is made. */
export function unfinished(file: string): string {
  return `${file}.new`
}

export type VolumeMountParts = {
  readonly places: VolumePlaces
  readonly internalCommand: readonly string[]
  /** Milliseconds that a mount may take. */
  readonly limit: () => number
  /** Whether a container that runs has it mounted. */
  readonly isRunning: (volume: Volume) => boolean
  /** The volume as its row has it now; undefined where there is none any more. */
  readonly current: (id: string) => Volume | undefined
  /** The file system has all of its file now. */
  readonly grown: (volume: Volume) => void
}

export class VolumeMounts {
  readonly #parts: VolumeMountParts
  readonly #locks = new KeyedLock()
  readonly #holders = new Map<string, number>()
  /** When the last attempt failed, and why: those who waited for it need not try again. */
  readonly #failures = new Map<string, { readonly at: number; readonly error: unknown }>()

  constructor(parts: VolumeMountParts) {
    this.#parts = parts
  }

  isMounted(volume: Volume): boolean {
    return mountedAt(this.#parts.places.data(volume)) !== undefined
  }

  isHeld({ id }: Volume): boolean {
    return (this.#holders.get(id) ?? 0) > 0
  }

  /** Keeps it mounted, whether it has to be or is a plain directory, until it is disposed. */
  async hold(volume: Volume): Promise<AsyncDisposable> {
    const { id } = volume
    const asked = performance.now()
    this.#holders.set(id, (this.#holders.get(id) ?? 0) + 1)
    try {
      if (isMountable(volume.record)) await this.#locks.hold(id, () => this.#mountUnlessMounted(volume, asked))
    } catch (error) {
      await this.#letGo(volume)
      throw error
    }
    return { [Symbol.asyncDispose]: () => this.#letGo(volume) }
  }

  async #letGo(volume: Volume): Promise<void> {
    const left = (this.#holders.get(volume.id) ?? 1) - 1
    if (left > 0) this.#holders.set(volume.id, left)
    else this.#holders.delete(volume.id)
    if (left === 0) await this.settle(volume)
  }

  /** Lets go of what nobody needs. */
  async settle(volume: Volume): Promise<void> {
    if (!isMountable(volume.record)) return
    await this.#locks.hold(volume.id, async () => {
      if (this.isHeld(volume) || this.#parts.isRunning(volume) || !this.isMounted(volume)) return
      try {
        await this.unmount(volume)
      } catch (error) {
        log.warn("A volume cannot be unmounted", { volume: volume.name, error: describeError(error) })
      }
    })
  }

  async unmount(volume: Volume): Promise<void> {
    if (!this.isMounted(volume)) return
    await this.#ask(volume, { verb: "unmount", target: this.#parts.places.data(volume) }, this.#parts.limit())
    crashpoint("volume.unmount:after")
  }

  /** Of a volume that is held: asked of a process where it may hang. */
  async look(volume: Volume, subpath: string | undefined): Promise<Look> {
    const target = this.#parts.places.data(volume)
    const request = { verb: "look", target, ...(subpath === undefined ? {} : { subpath }) } as const
    return await this.#ask<Look>(volume, request, this.#parts.limit())
  }

  /** What is used of its file system; undefined where that is not mounted, or does not answer soon. */
  async usage(volume: Volume): Promise<FileSystemUsage | undefined> {
    if (!this.isMounted(volume)) return undefined
    const target = this.#parts.places.data(volume)
    return await this.#locks.hold(volume.id, async () => {
      if (!this.isMounted(volume)) return undefined
      try {
        return await this.#ask<FileSystemUsage>(volume, { verb: "usage", target }, USAGE_LIMIT_MS)
      } catch (error) {
        log.debug("A volume's use cannot be told", { volume: volume.name, error: describeError(error) })
        return undefined
      }
    })
  }

  /** Lets the file system have what the row says: of a volume in use at once, where the host can. */
  async grow(volume: Volume): Promise<void> {
    await this.#locks.hold(volume.id, () => this.#grow(volume))
  }

  async #grow(volume: Volume): Promise<void> {
    const { places, grown } = this.#parts
    const { limit } = volume.record
    const file = places.image(volume)
    // What nobody has used yet is made with its first use.
    if (limit?.by === "image" && existsSync(file)) {
      const target = this.isMounted(volume) ? { target: places.data(volume) } : {}
      await this.#ask(volume, { verb: "grow", file, bytes: limit.bytes, ...target }, FORMAT_LIMIT_MS)
    }
    grown(volume)
  }

  /** Makes the file system of a limited volume in `file`, all or nothing. */
  async format(volume: Volume, file: string): Promise<void> {
    const temporary = unfinished(file)
    rmSync(temporary, { force: true })
    await this.#ask(
      volume,
      { verb: "format", file: temporary, bytes: volume.record.limit?.bytes ?? 0 },
      FORMAT_LIMIT_MS,
    )
    crashpoint("volume.format:before-name")
    renameSync(temporary, file)
    syncDirectory(dirname(file))
  }

  async mountImage(volume: Volume, file: string, target: string): Promise<void> {
    await this.#ask(volume, { verb: "mount-image", file, target }, FORMAT_LIMIT_MS)
  }

  async unmountImage(volume: Volume, target: string): Promise<void> {
    await this.#ask(volume, { verb: "unmount", target }, FORMAT_LIMIT_MS)
  }

  async #mountUnlessMounted(wanted: Volume, asked: number): Promise<void> {
    const volume = this.#parts.current(wanted.id) ?? wanted
    const failed = this.#failures.get(volume.id)
    if (failed !== undefined && failed.at > asked) throw failed.error
    this.#failures.delete(volume.id)
    if (this.isMounted(volume)) return
    try {
      await this.#mount(volume)
    } catch (error) {
      this.#failures.set(volume.id, { at: performance.now(), error })
      throw error
    }
    crashpoint("volume.mount:after")
  }

  async #mount(volume: Volume): Promise<void> {
    const { places, limit } = this.#parts
    const target = places.data(volume)
    if (!isForeign(volume.record)) {
      const file = places.image(volume)
      if (!existsSync(file)) await this.format(volume, file)
      if (volume.record.limit?.growing === true) await this.#grow(volume)
      await this.mountImage(volume, file, target)
      return
    }
    const { device = "", type = "", o: words = "" } = volume.record.options
    await this.#ask(volume, { verb: "mount", device, type, words, target }, limit())
  }

  async #ask<T>(volume: Volume, request: VolumeRequest, limit: number): Promise<T> {
    // Whoever was given up may have mounted it after all.
    const late = (): void => void this.settle(volume).catch(() => undefined)
    try {
      return await askVolume<T>(this.#parts.internalCommand, request, { limit, late })
    } catch (error) {
      const at = this.#parts.places.data(volume)
      if (error instanceof NoAnswer)
        throw new DhowError("unavailable", `error while mounting volume '${at}': ${describeError(error)}`, {
          hint: `Is what "${volume.record.options["device"] ?? at}" names there, and does it answer?`,
        })
      if (error instanceof DhowError && request.verb.startsWith("mount"))
        throw new DhowError(error.kind, `error while mounting volume '${at}': ${error.message}`, {
          ...(error.hint === undefined ? {} : { hint: error.hint }),
        })
      throw error
    }
  }
}
