// Progress of pulls, loads and imports: on a terminal one line per layer, redrawn; elsewhere plain lines, and only what
// changed in kind, since a log is no place for percentages. An error line ends it with that error.
import { DhowError } from "../../lib/errors.ts"
import { isTerminal, windowSize } from "../../lib/syscalls/terminal.ts"
import type { ProgressLine } from "../../wire/image.ts"
import { writeAll } from "../output.ts"
import { humanSize } from "./human.ts"

export type ProgressOptions = {
  readonly fd: number
  readonly quiet?: boolean
  /** Takes `aux` objects, which carry results (the id of an image). */
  readonly onAux?: (aux: unknown) => void
}

export async function showProgress(lines: AsyncIterable<ProgressLine>, options: ProgressOptions): Promise<void> {
  const terminal = options.quiet !== true && isTerminal(options.fd)
  const width = (terminal ? windowSize(options.fd)?.width : undefined) ?? 200
  /** Which row, counted from the first, an id is shown on. */
  const rows = new Map<string, number>()
  const lastStatus = new Map<string, string>()
  for await (const line of lines) {
    if (line.error !== undefined || line.errorDetail !== undefined)
      throw new DhowError("internal", line.errorDetail?.message ?? line.error ?? "the operation failed")
    if (line.aux !== undefined) options.onAux?.(line.aux)
    if (options.quiet === true) continue
    if (line.stream !== undefined) {
      writeAll(options.fd, terminal ? line.stream.replaceAll("\n", "\r\n") : line.stream)
      continue
    }
    if (line.status === undefined) continue
    const text = `${line.id ? `${line.id}: ` : ""}${line.status}`
    if (!terminal) {
      const isStep = (line.progressDetail?.current ?? 0) > 0
      if (isStep || lastStatus.get(line.id ?? "") === text) continue
      lastStatus.set(line.id ?? "", text)
      writeAll(options.fd, `${text}\n`)
      continue
    }
    drawRow(options.fd, rows, line, `${text}${progressBar(line, width - text.length)}`.slice(0, width))
  }
}

function drawRow(fd: number, rows: Map<string, number>, line: ProgressLine, text: string): void {
  if (!line.id) {
    // A line of its own ends the block above it: later ids begin a new one.
    rows.clear()
    writeAll(fd, `${text}\r\n`)
    return
  }
  const row = rows.get(line.id)
  if (row === undefined) {
    rows.set(line.id, rows.size)
    writeAll(fd, `${text}\r\n`)
    return
  }
  const up = rows.size - row
  writeAll(fd, `\x1b[${up}A\x1b[2K\r${text}\x1b[${up}B\r`)
}

export function progressBar(line: ProgressLine, room: number): string {
  const current = line.progressDetail?.current ?? 0
  const total = line.progressDetail?.total ?? 0
  if (current <= 0 && total <= 0) return line.progress ? ` ${line.progress}` : ""
  if (line.progressDetail?.units !== undefined && line.progressDetail.units !== "")
    return ` ${current}${total > 0 ? `/${total}` : ""} ${line.progressDetail.units}`
  if (total <= 0 || current > total) return ` ${humanSize(current)}`
  const numbers = `${humanSize(current)}/${humanSize(total)}`
  const cells = Math.min(50, room - numbers.length - 6)
  if (cells < 10) return ` ${numbers}`
  const done = Math.floor((current / total) * cells)
  const bar = `${"=".repeat(done)}${done < cells ? ">" : ""}`.padEnd(cells)
  return ` [${bar}] ${numbers}`
}
