// A file system in a file: what a volume with a size limit is where the disk's own cannot limit a directory. Its file is
// sparse: it takes what was written to it.
import { closeSync, fsyncSync, ftruncateSync, openSync, readlinkSync, rmdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { DhowError, errnoName } from "../lib/errors.ts"
import { check, libc } from "../lib/syscalls/libc.ts"
import { attachLoop } from "../lib/syscalls/loop.ts"
import { mount } from "../lib/syscalls/mount.ts"

/** Below this mkfs.ext4 leaves next to nothing for files. */
export const LEAST_IMAGE_BYTES = 4 << 20
const LOOP_SET_CAPACITY = 0x4c07n
const GROW = "grow the file system"

/** All of the disk is its user's: no blocks for root; and a sparse file is zeros already. */
const MKFS = ["mkfs.ext4", "-q", "-F", "-m", "0", "-E", "assume_storage_prezeroed=1,nodiscard"]

export function formatImage(file: string, bytes: number): void {
  const fd = openSync(file, "wx", 0o600)
  try {
    ftruncateSync(fd, bytes)
    run([...MKFS, file], `make a file system of ${bytes} bytes`)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** An empty volume is empty. */
export function mountImage(file: string, target: string): void {
  using device = attachLoop(file, { writable: true })
  mount(device.path, target, { type: "ext4" })
  try {
    rmdirSync(join(target, "lost+found"))
  } catch (error) {
    if (!["ENOENT", "ENOTEMPTY", "ENOTDIR"].includes(errnoName(error) ?? "")) throw error
  }
}

/** While it is mounted. */
export function growMounted(file: string, target: string, bytes: number): void {
  lengthen(file, bytes)
  const device = deviceOf(target)
  const loop = openSync(device, "r+")
  try {
    check(libc().ioctl(loop, LOOP_SET_CAPACITY, null), "ioctl", device)
  } finally {
    closeSync(loop)
  }
  run(["resize2fs", device], GROW)
}

/** While nothing has it mounted. */
export function growImage(file: string, bytes: number): void {
  lengthen(file, bytes)
  // 1: errors were corrected.
  run(["e2fsck", "-f", "-p", file], "check the file system before it is grown", 1)
  run(["resize2fs", file], GROW)
}

function lengthen(file: string, bytes: number): void {
  const fd = openSync(file, "r+")
  try {
    if (statSync(file).size < bytes) ftruncateSync(fd, bytes)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function deviceOf(target: string): string {
  const { dev } = statSync(target, { bigint: true })
  const [major, minor] = [(dev >> 8n) & 0xfffn, (dev & 0xffn) | ((dev >> 12n) & 0xfff00n)]
  const name = readlinkSync(`/sys/dev/block/${major}:${minor}`).split("/").at(-1) ?? ""
  return `/dev/${name}`
}

function run(command: readonly string[], what: string, mostStatus = 0): void {
  const [program = ""] = command
  const path = Bun.which(program, { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` })
  if (path === null)
    throw new DhowError("unavailable", `Cannot ${what}: ${program} is not installed`, {
      hint: "Install the Debian package e2fsprogs",
    })
  const { exitCode, stderr } = Bun.spawnSync([path, ...command.slice(1)], { stdio: ["ignore", "ignore", "pipe"] })
  if (exitCode > mostStatus)
    throw new DhowError("internal", `Cannot ${what}: ${stderr.toString().trim().split("\n").at(-1) || program}`)
}
