// conmon's control fifo `ctl` in its bundle. Lines are written whole (far below PIPE_BUF) and never wait: where conmon
// is gone nobody has the fifo open for reading, and the message has lost its meaning.
import { closeSync, constants, openSync, writeSync } from "node:fs"
import { join } from "node:path"
import { errnoName } from "../lib/errors.ts"

const WINDOW_SIZE = 1
const REOPEN_LOG = 2

export function sendResize(bundle: string, height: number, width: number): boolean {
  // conmon scans for "%d" and hands it to an unsigned short: anything else must not reach it.
  const cells = [height, width].map((count) => Math.min(65535, Math.max(0, Math.trunc(count) || 0)))
  return send(bundle, `${WINDOW_SIZE} ${cells.join(" ")}\n`)
}

export function sendReopenLog(bundle: string): boolean {
  return send(bundle, `${REOPEN_LOG} 0 0\n`)
}

/** Whether a conmon holds this bundle: it alone keeps the fifo open for reading. */
export function conmonListens(bundle: string): boolean {
  return send(bundle, "")
}

function send(bundle: string, line: string): boolean {
  let fd: number
  try {
    fd = openSync(join(bundle, "ctl"), constants.O_WRONLY | constants.O_NONBLOCK)
  } catch (error) {
    const code = errnoName(error)
    if (code === "ENXIO" || code === "ENOENT" || code === "ENOTDIR") return false
    throw error
  }
  try {
    if (line.length > 0) writeSync(fd, line)
    return true
  } catch (error) {
    // EAGAIN: conmon has not read thousands of earlier lines; EPIPE: it went away just now.
    const code = errnoName(error)
    if (code === "EAGAIN" || code === "EPIPE") return false
    throw error
  } finally {
    closeSync(fd)
  }
}
