// Whether a process that was recorded by id and start time still runs: ids are used again, the pair is not.
import { readFileSync } from "node:fs"
import { errnoName } from "../lib/errors.ts"

export type ProcessState = {
  /** R, S, D, T, Z and so on (proc(5)). */
  readonly state: string
  /** Clock ticks after the boot. */
  readonly startTime: number
}

export function processState(pid: number): ProcessState | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, "utf8")
  } catch (error) {
    const code = errnoName(error)
    if (code === "ENOENT" || code === "ESRCH") return undefined
    throw error
  }
  // The name in parentheses may itself hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ")
  return { state: fields[0] ?? "", startTime: Number(fields[19]) }
}

/** A zombie does not run: nothing of it is left but its exit status. */
export function isAlive(pid: number, startTime: number): boolean {
  const found = processState(pid)
  return found !== undefined && found.startTime === startTime && found.state !== "Z" && found.state !== "X"
}
