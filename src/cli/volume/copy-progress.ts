// How far a copy of a volume's files is, on a terminal's standard error; and what came of it. Ctrl-C ends the program, the
// connection with it, and the daemon takes back what it has begun.
import { DhowError } from "../../lib/errors.ts"
import { isTerminal } from "../../lib/syscalls/terminal.ts"
import type { VolumeProgress } from "../../wire/system.ts"
import { writeAll } from "../output.ts"
import { humanSize } from "../render/human.ts"

export type Outcome = Exclude<VolumeProgress, { readonly Files: number }>

export async function followCopy(lines: AsyncIterable<VolumeProgress>): Promise<Outcome> {
  const shows = isTerminal(2)
  let outcome: Outcome | undefined
  let isThere = false
  try {
    for await (const line of lines) {
      if (!("Files" in line)) outcome = line
      else if (shows) {
        writeAll(2, `\r\x1b[K${describe(line)}`)
        isThere = true
      }
    }
  } finally {
    if (isThere) writeAll(2, "\r\x1b[K")
  }
  if (outcome === undefined) throw new DhowError("unavailable", "The daemon ended before the copy was complete")
  return outcome
}

function describe({ Files, Bytes, Shared }: Extract<VolumeProgress, { readonly Files: number }>): string {
  const shared = Shared > 0 ? `, ${humanSize(Shared)} of them shared` : ""
  return `${Files} files, ${humanSize(Bytes)}${shared}`
}
