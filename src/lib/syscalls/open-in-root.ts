// openat2(2) with RESOLVE_IN_ROOT: the one way to open a path that belongs to a container's root, so that neither "..",
// absolute symbolic links nor /proc links lead out of it.
import { closeSync, constants, openSync } from "node:fs"
import { address, check, cstring, libc } from "./libc.ts"

const SYS_openat2 = 437n
const RESOLVE_NO_MAGICLINKS = 0x02n
const RESOLVE_BENEATH = 0x08n
const RESOLVE_IN_ROOT = 0x10n
const O_CLOEXEC = 0o2000000

/** A file descriptor of `path` as a process chrooted to `root` would see it; the caller closes it. */
export function openInRoot(root: string, path: string, flags: number = constants.O_RDONLY, mode = 0): number {
  const directory = openSync(root, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    return openBelow(directory, path, flags, mode)
  } finally {
    closeSync(directory)
  }
}

/** Refuses, with EXDEV, what would lead out of `root`, where openInRoot() keeps it inside. */
export function openBeneath(root: string, path: string, flags: number = constants.O_RDONLY): number {
  const directory = openSync(root, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    return openAt(directory, path, { flags, mode: 0, resolve: RESOLVE_BENEATH })
  } finally {
    closeSync(directory)
  }
}

/** The same as openInRoot(), of a root that is open already. */
export function openBelow(root: number, path: string, flags: number, mode = 0): number {
  return openAt(root, path, { flags, mode, resolve: RESOLVE_IN_ROOT })
}

type How = { readonly flags: number; readonly mode: number; readonly resolve: bigint }

function openAt(root: number, path: string, { flags, mode, resolve }: How): number {
  const how = new BigUint64Array([BigInt(flags | O_CLOEXEC), BigInt(mode), resolve | RESOLVE_NO_MAGICLINKS])
  const name = cstring(path)
  const bytes = new Uint8Array(how.buffer)
  return check(libc().syscall(SYS_openat2, BigInt(root), address(name), address(bytes), 24n, 0n, 0n), "openat2", path)
}
