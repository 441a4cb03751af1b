// What the kernel says of a process. A pid alone names nothing for long: with its start time it is unique until reboot.
import { closeSync, readFileSync } from "node:fs"
import { errnoName } from "../lib/errors.ts"
import { check, libc } from "../lib/syscalls/libc.ts"

const SYS_pidfd_send_signal = 424n
const SYS_pidfd_open = 434n
const SIGKILL = 9n

export type ProcessStat = {
  readonly parent: number
  readonly group: number
  readonly state: string
  readonly startTime: string
}

/** undefined where no such process exists. A zombie exists, with state "Z". */
export function processStat(pid: number): ProcessStat | undefined {
  const text = readProc(`/proc/${pid}/stat`)
  if (text === undefined) return undefined
  // The second field is the program's name in parentheses and may hold spaces and parentheses itself.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ")
  return { state: fields[0] ?? "", parent: Number(fields[1]), group: Number(fields[2]), startTime: fields[19] ?? "" }
}

/** The arguments a process was started with; empty for a zombie or none. */
export function processArguments(pid: number): readonly string[] {
  return (readProc(`/proc/${pid}/cmdline`) ?? "").split("\0").slice(0, -1)
}

export function isAlive(pid: number): boolean {
  const stat = processStat(pid)
  return stat !== undefined && stat.state !== "Z" && stat.state !== "X"
}

/** Kills the process unless its pid has gone to another one: the pidfd holds on to the one whose start time was read. */
export function killExactly(pid: number, startTime: string | undefined): void {
  whileHeld(pid, startTime, (fd) => libc().syscall(SYS_pidfd_send_signal, BigInt(fd), SIGKILL, 0n, 0n, 0n, 0n))
}

/**
 * The same with its whole process group, unless that is the group of `spared`. While one of its members lives, a group's
 * number is its own.
 */
export function killGroupExactly(pid: number, startTime: string | undefined, spared: number): void {
  const group = processStat(pid)?.group ?? 0
  if (group > 1 && group !== processStat(spared)?.group)
    whileHeld(pid, startTime, () => process.kill(-group, "SIGKILL"))
  else killExactly(pid, startTime)
}

function whileHeld(pid: number, startTime: string | undefined, kill: (fd: number) => void): void {
  if (pid <= 1 || startTime === undefined) return
  const fd = Number(libc().syscall(SYS_pidfd_open, BigInt(pid), 0n, 0n, 0n, 0n, 0n))
  if (fd < 0) return
  try {
    if (processStat(pid)?.startTime !== startTime) return
    kill(fd)
  } catch (error) {
    if (errnoName(error) !== "ESRCH") throw error
  } finally {
    closeSync(fd)
  }
}

/**
 * Resolves when the process, which need not be a child of ours, has ended; false where none exists now.
 * A pidfd becomes readable at that moment. The event loop then reads from it as if it were a socket, which the kernel
 * refuses (ENOTSOCK), and closes it: that close is the event.
 */
export async function watchProcess(pid: number, onEnd: () => void): Promise<boolean> {
  const fd = Number(libc().syscall(SYS_pidfd_open, BigInt(pid), 0n, 0n, 0n, 0n, 0n))
  if (fd < 0) {
    if (!isAlive(pid)) return false
    check(fd, "pidfd_open", String(pid))
  }
  try {
    await Bun.connect({
      fd,
      socket: { data() {}, error() {}, close: onEnd },
    } as unknown as Bun.UnixSocketOptions<undefined>)
    return true
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1")
  } catch (error) {
    // ESRCH: the process went away between open and read.
    const code = errnoName(error)
    if (code === "ENOENT" || code === "ESRCH") return undefined
    throw error
  }
}
