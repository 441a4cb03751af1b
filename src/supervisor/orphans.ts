// Finding the conmons that an earlier engine left behind. All of them are older than this engine, so where nothing points
// to one, a single look through /proc tells of all: it finds a conmon whose engine was killed right after starting it.
import { readdirSync } from "node:fs"
import { readConmonArguments } from "./arguments.ts"
import { isAlive, processArguments, processStat } from "./process.ts"

export type Orphan = {
  readonly pid: number
  /** For an exec session. */
  readonly exec: boolean
  readonly stdin: boolean
  readonly leaveStdinOpen: boolean
}

export class Orphans {
  #seen: readonly number[] | undefined

  /** `noted` is the pid that the earlier engine wrote down, `pid` that of the supervised process. */
  find(id: string, noted: number, pid: number): Orphan | undefined {
    // The process's parent is its conmon.
    for (const candidate of [noted, processStat(pid)?.parent ?? 0]) {
      const orphan = describe(candidate, id)
      if (orphan !== undefined) return orphan
    }
    this.#seen ??= runningConmons()
    for (const candidate of this.#seen) {
      const orphan = describe(candidate, id)
      if (orphan !== undefined) return orphan
    }
    return undefined
  }
}

function describe(pid: number, id: string): Orphan | undefined {
  if (!(pid > 1) || !isAlive(pid)) return undefined
  const argv = processArguments(pid)
  const told = readConmonArguments(argv, id)
  return told === undefined ? undefined : { pid, exec: argv.includes("--exec"), ...told }
}

function runningConmons(): readonly number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name))
  return pids.map(Number).filter((pid) => /(^|\/)conmon$/.test(processArguments(pid)[0] ?? ""))
}
