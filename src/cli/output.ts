// Standard output and error of the CLI, written with plain system calls: node's streams cost more than a request.
// A reader that went away (ps | head) ends the program quietly.
import { writeSync } from "node:fs"

/** What a shell shows for a program that SIGPIPE ended. */
export const EPIPE_STATUS = 141

export function writeAll(fd: number, data: string | Uint8Array): void {
  const bytes = typeof data === "string" ? Buffer.from(data) : data
  let at = 0
  while (at < bytes.byteLength) {
    try {
      at += writeSync(fd, bytes, at, bytes.byteLength - at)
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      if (code === "EPIPE") process.exit(EPIPE_STATUS)
      if (code !== "EAGAIN") throw error
      // Somebody else made the terminal or pipe non-blocking; there is nothing to wait with but time.
      Bun.sleepSync(2)
    }
  }
}

export function print(line: string): void {
  writeAll(1, `${line}\n`)
}

export function printError(line: string): void {
  writeAll(2, `${line}\n`)
}
