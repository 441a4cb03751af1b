// The engine's handle of one conmon and the process it supervises.
import { log } from "../lib/log.ts"
import type { ExitRecord, LogRotation, Monitor, Streams } from "./contract.ts"
import { ControlFifo } from "./control.ts"
import { KILLED, readExitFile } from "./exit-file.ts"
import { LogKeeper } from "./logs/rotate.ts"
import { inodeOf } from "./logs/segments.ts"
import { killExactly, killGroupExactly } from "./process.ts"
import type { StreamHub } from "./streams.ts"

export type MonitorParts = {
  readonly id: string
  readonly bundle: string
  readonly pid: number
  /** Against reuse of the pid; undefined when the process was already gone. */
  readonly startTime: string | undefined
  readonly conmonPid: number
  readonly exitFile: string
  readonly hub: StreamHub
  readonly logPath?: string | undefined
  readonly logRotation?: LogRotation | undefined
  /** Settles when conmon itself has ended, whatever it ended of. */
  readonly conmonEnded: Promise<unknown>
}

export class ConmonMonitor implements Monitor {
  readonly id: string
  readonly pid: number
  readonly conmonPid: number
  readonly exited: Promise<ExitRecord>
  readonly bundle: string
  readonly #hub: StreamHub
  readonly #control: ControlFifo
  readonly #startTime: string | undefined
  readonly #logPath: string | undefined
  #leaving: number | undefined
  #keeper: LogKeeper | undefined
  #hasEnded = false

  constructor(parts: MonitorParts) {
    this.id = parts.id
    this.pid = parts.pid
    this.conmonPid = parts.conmonPid
    this.bundle = parts.bundle
    this.#hub = parts.hub
    this.#startTime = parts.startTime
    const { logPath, logRotation } = parts
    this.#logPath = logPath
    this.#control = new ControlFifo(parts.bundle, () => this.#isLeaving())
    this.boundLog(logRotation)
    this.exited = parts.conmonEnded.then(() => {
      this.#hasEnded = true
      this.#keeper?.stop()
      return readExitFile(parts.exitFile, parts.bundle) ?? vanished(parts)
    })
  }

  async streams(): Promise<Streams | undefined> {
    return (await this.#hub.connect()) ? this.#hub : undefined
  }

  resize(height: number, width: number): void {
    this.#control.resize(height, width)
  }

  kill(): void {
    killGroupExactly(this.pid, this.#startTime, this.conmonPid)
  }

  reopenLog(): void {
    this.#leaving = this.#logPath === undefined ? undefined : inodeOf(this.#logPath)
    this.#control.reopenLog()
  }

  boundLog(rotation: LogRotation | undefined): void {
    this.#keeper?.stop()
    this.#keeper =
      this.#logPath === undefined || rotation === undefined || rotation.maxSize <= 0 || this.#hasEnded
        ? undefined
        : new LogKeeper(this.#logPath, rotation, () => this.reopenLog())
  }

  /** Whether conmon has yet to leave the file it was told to leave, or the one that was removed. */
  #isLeaving(): boolean {
    if (this.#logPath === undefined) return false
    const inode = inodeOf(this.#logPath)
    return inode === undefined || inode === this.#leaving
  }
}

/**
 * conmon ended without an exit file: it was killed. Its process has lost its standard streams and will never be waited
 * for, so it is ended as well.
 */
function vanished({ id, pid, startTime, conmonPid }: MonitorParts): ExitRecord {
  log.warn("conmon vanished; the process it supervised is killed", { id, conmonPid, pid })
  killExactly(pid, startTime)
  return { exitCode: KILLED, finishedAt: new Date(), oomKilled: false, vanished: true }
}
