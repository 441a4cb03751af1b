// One engine per state root and per exec root: advisory locks that end with the process, however that ends. An exec root
// stays with its state root besides, for what it holds belongs to containers that only this one knows.
import { existsSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs"
import { join } from "node:path"
import { DhowError } from "./lib/errors.ts"
import { readIfExists, writeDurably } from "./lib/files.ts"
import { lastError, libc } from "./lib/syscalls/libc.ts"

const LOCK_EX_NB = 2 | 4
const HINT = "Stop it, or give this one another --data-root and --exec-root"

/** Makes the state root, a directory that only root can list. */
export function makeRoot(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o711 })
  } catch (cause) {
    throw new DhowError("unavailable", `Cannot use "${path}" as the state root`, { cause })
  }
}

/** Held until the process ends. Throws unavailable, naming the holder, where another engine has it. */
export function lockRoot(root: string, kind: "state root" | "exec root"): void {
  const path = join(root, "engine.pid")
  const fd = openSync(path, "a+", 0o600)
  if (libc().flock(fd, LOCK_EX_NB) !== 0) {
    const error = lastError("flock", path)
    if (error.code !== "EAGAIN" && error.code !== "EWOULDBLOCK") throw error
    const holder = readFileSync(path, "utf8").trim()
    throw new DhowError("unavailable", `Another engine (process ${holder || "unknown"}) uses the ${kind} "${root}"`, {
      hint: HINT,
    })
  }
  ftruncateSync(fd, 0)
  writeSync(fd, `${process.pid}\n`)
}

/** Refuses the exec root of another state root: sweeping it would end that one's containers. */
export function claimExecRoot(execRoot: string, dataRoot: string): void {
  lockRoot(execRoot, "exec root")
  const path = join(execRoot, "data-root")
  const owner = readIfExists(path)
  if (owner === dataRoot) return
  if (owner !== undefined && existsSync(owner))
    throw new DhowError("conflict", `The exec root "${execRoot}" belongs to the state root "${owner}"`, {
      hint: "Give this engine another one with --exec-root",
    })
  writeDurably(path, dataRoot)
}
