// Mounting overlayfs. Through fsopen(2) and "lowerdir+" each layer is an option of its own, so that a hundred of them fit;
// a kernel before 6.8 gets mount(2), whose options must fit in one page.
import { closeSync, constants, openSync, readSync } from "node:fs"
import { address, check, cstring, libc } from "./libc.ts"
import { mount } from "./mount.ts"

export type Overlay = {
  /** Lowest first; at least one, or two where there is no upper. */
  readonly lower: readonly string[]
  /** Without it the mount is read-only. */
  readonly upper?: { readonly directory: string; readonly work: string }
  /** Whiteouts and opaque marks in "user." attributes, for a mount made inside a user namespace. */
  readonly userXattr?: boolean
}

const SYS_move_mount = 429n
const SYS_fsopen = 430n
const SYS_fsconfig = 431n
const SYS_fsmount = 432n
const FSCONFIG_SET_FLAG = 0n
const FSCONFIG_SET_STRING = 1n
const FSCONFIG_CMD_CREATE = 6n
const CLOEXEC = 1n
const AT_FDCWD = -100n
const MOVE_MOUNT_F_EMPTY_PATH = 4n
const O_PATH = 0o10000000
const PAGE = 4096
const FSCONFIG_STRING = 256

/** Renames of directories copy, as with Docker: what was written can then be read from the upper directory alone. */
const OPTIONS = ["index=off", "metacopy=off", "redirect_dir=off"] as const

let modern: boolean | undefined

export function mountOverlay(target: string, overlay: Overlay): void {
  modern ??= hasLowerdirAppend()
  if (modern) mountByContext(target, overlay)
  else mountByString(target, overlay)
}

/** With one file-system context: needs kernel 6.8. */
export function mountByContext(target: string, overlay: Overlay): void {
  using names = new Names()
  using context = open(libc().syscall(SYS_fsopen, text("overlay"), CLOEXEC, 0n, 0n, 0n, 0n), "fsopen")
  const set = (key: string, value: string): void => {
    const fd = BigInt(context.fd)
    explain(libc().syscall(SYS_fsconfig, fd, FSCONFIG_SET_STRING, text(key), text(value), 0n, 0n), context.fd, value)
  }
  set("source", "overlay")
  for (const layer of overlay.lower.toReversed()) set("lowerdir+", names.short(layer, FSCONFIG_STRING))
  if (overlay.upper !== undefined) {
    set("upperdir", names.short(overlay.upper.directory, FSCONFIG_STRING))
    set("workdir", names.short(overlay.upper.work, FSCONFIG_STRING))
  }
  for (const option of OPTIONS) set(option.split("=")[0]!, option.split("=")[1]!)
  const fd = BigInt(context.fd)
  if (overlay.userXattr === true)
    explain(libc().syscall(SYS_fsconfig, fd, FSCONFIG_SET_FLAG, text("userxattr"), 0n, 0n, 0n), context.fd, target)
  explain(libc().syscall(SYS_fsconfig, fd, FSCONFIG_CMD_CREATE, 0n, 0n, 0n, 0n), context.fd, target)
  using made = open(libc().syscall(SYS_fsmount, fd, CLOEXEC, 0n, 0n, 0n, 0n), "fsmount")
  const move = [BigInt(made.fd), text(""), AT_FDCWD, text(target), MOVE_MOUNT_F_EMPTY_PATH, 0n] as const
  check(libc().syscall(SYS_move_mount, ...move), "move_mount", target)
}

/** With mount(2). Where the paths are too long for a page, they are given as descriptors. */
export function mountByString(target: string, overlay: Overlay): void {
  using names = new Names()
  const whole = optionString(overlay, (path) => names.short(path, PAGE))
  const data = whole.length < PAGE ? whole : optionString(overlay, (path) => names.byDescriptor(path))
  mount("overlay", target, { type: "overlay", data })
}

function optionString(overlay: Overlay, name: (path: string) => string): string {
  const options: string[] = [`lowerdir=${overlay.lower.toReversed().map(name).join(":")}`, ...OPTIONS]
  if (overlay.upper !== undefined)
    options.push(`upperdir=${name(overlay.upper.directory)}`, `workdir=${name(overlay.upper.work)}`)
  if (overlay.userXattr === true) options.push("userxattr")
  return options.join(",")
}

/** A kernel before 6.5 takes any option here and refuses it at the end: it is known by taking one that nobody has. */
function hasLowerdirAppend(): boolean {
  const fd = Number(libc().syscall(SYS_fsopen, text("overlay"), CLOEXEC, 0n, 0n, 0n, 0n))
  if (fd < 0) return false
  const takes = (key: string): boolean =>
    Number(libc().syscall(SYS_fsconfig, BigInt(fd), FSCONFIG_SET_STRING, text(key), text("/"), 0n, 0n)) === 0
  const isModern = !takes("no-such-option") && takes("lowerdir+")
  closeSync(fd)
  return isModern
}

/** Paths as overlayfs takes them: one that is long, or holds a separator of its options, goes by a descriptor. */
class Names implements Disposable {
  readonly #fds: number[] = []

  short(path: string, limit: number): string {
    return path.length < limit && /^[\w./@+=~-]+$/.test(path) ? path : this.byDescriptor(path)
  }

  byDescriptor(path: string): string {
    const fd = openSync(path, O_PATH | constants.O_DIRECTORY)
    this.#fds.push(fd)
    return `/proc/self/fd/${fd}`
  }

  [Symbol.dispose](): void {
    for (const fd of this.#fds) closeSync(fd)
  }
}

type OpenFile = Disposable & { readonly fd: number }

function open(result: number | bigint, syscall: string): OpenFile {
  const fd = check(result, syscall)
  return { fd, [Symbol.dispose]: () => closeSync(fd) }
}

// Buffers of the current call: the kernel has copied them when it returns, and this keeps them alive until then.
const alive: Buffer[] = []

function text(value: string): bigint {
  const buffer = cstring(value)
  alive.push(buffer)
  if (alive.length > 8) alive.shift()
  return address(buffer)
}

/** The kernel says why in words, which are read from the context. */
function explain(result: number | bigint, context: number, path: string): void {
  if (Number(result) >= 0) return
  try {
    check(result, "fsconfig", path)
  } catch (error) {
    throw new Error(`Cannot set up overlay: ${messages(context)}`, { cause: error })
  }
}

function messages(context: number): string {
  const buffer = Buffer.alloc(1024)
  const lines: string[] = []
  try {
    for (;;) lines.push(buffer.toString("utf8", 0, readSync(context, buffer, 0, buffer.length, null)).trim())
  } catch {
    // ENODATA: that was all.
  }
  return lines.join("; ")
}
