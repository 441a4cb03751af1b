// conmon's control fifo `ctl` in its bundle. A conmon that finds two lines at once obeys the first one twice (2.1.6), so
// a line is only written to an empty fifo, some time after the one before; of several window sizes the last one counts.
// Nothing here waits: where conmon is gone nobody has the fifo open for reading, and the message has lost its meaning.
import { closeSync, constants, openSync, writeSync } from "node:fs"
import { join } from "node:path"
import { errnoName } from "../lib/errors.ts"
import { check, libc } from "../lib/syscalls/libc.ts"

const WINDOW_SIZE = 1
const REOPEN_LOG = 2
const FIONREAD = 0x541bn
/** conmon passes a window size on through a second fifo; by then that one is read as well. */
const BETWEEN_LINES_MS = 20

export class ControlFifo {
  readonly #path: string
  readonly #reopenNeeded: () => boolean
  #size: string | undefined
  #reopen = false
  #timer: ReturnType<typeof setTimeout> | undefined

  /** `reopenNeeded` is asked again just before sending: a second message would make conmon discard what the first began. */
  constructor(bundle: string, reopenNeeded: () => boolean) {
    this.#path = join(bundle, "ctl")
    this.#reopenNeeded = reopenNeeded
  }

  resize(height: number, width: number): void {
    // conmon hands the numbers to an unsigned short.
    const cells = [height, width].map((count) => Math.min(65535, Math.max(0, Math.trunc(count) || 0)))
    this.#size = `${WINDOW_SIZE} ${cells.join(" ")}\n`
    this.#send()
  }

  reopenLog(): void {
    this.#reopen = true
    this.#send()
  }

  /** Sends one line unless one was sent just now; the timer sees to the others. */
  #send(): void {
    if (this.#timer !== undefined) return
    if (this.#reopen) this.#reopen = this.#reopenNeeded()
    const line = this.#size ?? (this.#reopen ? `${REOPEN_LOG} 0 0\n` : undefined)
    if (line === undefined) return
    const outcome = writeToEmptyFifo(this.#path, line)
    if (outcome === "gone" || (outcome === "written" && this.#size === undefined)) this.#reopen = false
    if (outcome !== "busy") this.#size = undefined
    if (outcome === "gone") return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#send()
    }, BETWEEN_LINES_MS)
    this.#timer.unref()
  }
}

function writeToEmptyFifo(path: string, line: string): "written" | "busy" | "gone" {
  let fd: number
  try {
    fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
  } catch (error) {
    const code = errnoName(error)
    if (code === "ENXIO" || code === "ENOENT" || code === "ENOTDIR") return "gone"
    throw error
  }
  try {
    const unread = new Int32Array(1)
    check(libc().ioctl(fd, FIONREAD, unread), "ioctl", path)
    if (unread[0] !== 0) return "busy"
    writeSync(fd, line)
    return "written"
  } catch (error) {
    if (errnoName(error) === "EPIPE") return "gone"
    throw error
  } finally {
    closeSync(fd)
  }
}
