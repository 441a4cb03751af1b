// The exit file is the truth about an exit: conmon writes it beside its place and renames it, once everything the
// process wrote has been logged. It holds the status as a number, 128 + n for signal n.
import { statSync } from "node:fs"
import { join } from "node:path"
import { errnoName } from "../lib/errors.ts"
import { readIfExists } from "../lib/files.ts"
import type { ExitRecord } from "./contract.ts"

/** What conmon reports when it killed the process itself after --timeout. */
const TIMED_OUT = -1
export const KILLED = 137

export function readExitFile(path: string, bundle: string): ExitRecord | undefined {
  const text = readIfExists(path)
  if (text === undefined || !/^-?\d+/.test(text)) return undefined
  const status = Number.parseInt(text, 10)
  return {
    exitCode: status === TIMED_OUT ? KILLED : status,
    finishedAt: modified(path) ?? new Date(),
    oomKilled: modified(join(bundle, "oom")) !== undefined,
  }
}

function modified(path: string): Date | undefined {
  try {
    return statSync(path).mtime
  } catch (error) {
    if (errnoName(error) === "ENOENT") return undefined
    throw error
  }
}
