// Starting the daemon when its socket is not there, so that no set-up step exists. However many clients do this at the
// same time, a lock lets one of them start it; the others find the socket.
import { spawn } from "node:child_process"
import { closeSync, constants, mkdirSync, openSync, readFileSync } from "node:fs"
import { dirname } from "node:path"
import { DhowError } from "../lib/errors.ts"
import { ownCommand } from "../lib/own-command.ts"
import { libc } from "../lib/syscalls/libc.ts"
import type { Address } from "./address.ts"
import { Duplex } from "./duplex.ts"

const LOCK_EX = 2
const PATIENCE_MS = 30_000
const RETRY_MS = 3

export async function startDaemon(address: Address): Promise<Duplex> {
  if (process.getuid?.() !== 0)
    throw new DhowError("unavailable", "The daemon does not run, and starting it needs root", {
      hint: "Start it with: sudo dhow daemon",
    })
  return start(address)
}

/** Of the machine's own daemon it is where logs are; that of another one stays beside its socket. */
export function daemonLogPath({ path }: Address): string {
  return path === "/run/dhow/dhow.sock" ? "/var/log/dhow.log" : path.replace(/\.sock$/, ".log")
}

async function start(address: Address): Promise<Duplex> {
  mkdirSync(dirname(address.path), { recursive: true, mode: 0o755 })
  const lock = openSync(`${address.path}.start-lock`, constants.O_RDWR | constants.O_CREAT, 0o600)
  try {
    libc().flock(lock, LOCK_EX)
    const other = await Duplex.open(address.path).catch(() => undefined)
    return other ?? (await spawnDaemon(address))
  } finally {
    closeSync(lock)
  }
}

async function spawnDaemon(address: Address): Promise<Duplex> {
  const logPath = daemonLogPath(address)
  const log = openSync(logPath, "a", 0o640)
  const [program = "", ...script] = ownCommand()
  const child = spawn(program, [...script, "daemon"], {
    cwd: "/",
    detached: true,
    stdio: ["ignore", log, log],
  })
  closeSync(log)
  child.unref()
  let ended: string | undefined
  child.once("exit", (code, signal) => {
    ended = signal === null ? `it ended with status ${code}` : `it was ended by ${signal}`
  })
  child.once("error", (error) => {
    ended = error.message
  })
  const deadline = performance.now() + PATIENCE_MS
  while (performance.now() < deadline) {
    const stream = await Duplex.open(address.path).catch(() => undefined)
    if (stream !== undefined) return stream
    if (ended !== undefined) throw startFailure(ended, logPath)
    await Bun.sleep(RETRY_MS)
  }
  throw startFailure(`it does not listen after ${PATIENCE_MS / 1000} seconds`, logPath)
}

function startFailure(reason: string, logPath: string): DhowError {
  const last = readFileSync(logPath, "utf8").trimEnd().split("\n").at(-1) ?? ""
  return new DhowError("unavailable", `Cannot start the daemon: ${reason}${last === "" ? "" : `: ${last}`}`, {
    hint: `Its log is ${logPath}`,
  })
}
