// One engine per state root: an advisory lock that ends with the process, however that ends.
import { ftruncateSync, openSync, readFileSync, writeSync } from "node:fs"
import { join } from "node:path"
import { DhowError } from "./lib/errors.ts"
import { lastError, libc } from "./lib/syscalls/libc.ts"

const LOCK_EX_NB = 2 | 4

/** Held until the process ends. Throws unavailable, naming the holder, where another engine has it. */
export function lockRoot(dataRoot: string): void {
  const path = join(dataRoot, "engine.pid")
  const fd = openSync(path, "a+", 0o600)
  if (libc().flock(fd, LOCK_EX_NB) !== 0) {
    const error = lastError("flock", path)
    if (error.code !== "EAGAIN") throw error
    const holder = readFileSync(path, "utf8").trim()
    throw new DhowError(
      "unavailable",
      `Another engine (process ${holder || "unknown"}) uses the state root "${dataRoot}"`,
      {
        hint: "Stop it, or give this one another --data-root and --exec-root",
      },
    )
  }
  ftruncateSync(fd, 0)
  writeSync(fd, `${process.pid}\n`)
}
