// Mounts as file descriptors (open_tree(2), fsopen(2), move_mount(2), mount_setattr(2)): a mount is made here and put into
// its place in another mount namespace. The numbers of these calls are the same on every architecture.
import { closeSync } from "node:fs"
import { address, check, cstring, libc } from "./libc.ts"

const SYS = {
  open_tree: 428n,
  move_mount: 429n,
  fsopen: 430n,
  fsconfig: 431n,
  fsmount: 432n,
  mount_setattr: 442n,
} as const

const AT_FDCWD = -100n
const AT_EMPTY_PATH = 0x1000
const AT_RECURSIVE = 0x8000
const O_CLOEXEC = 0o2000000
const OPEN_TREE_CLONE = 1
const MOVE_MOUNT_F_EMPTY_PATH = 0x4n
const MOVE_MOUNT_T_EMPTY_PATH = 0x40n
const FSMOUNT_CLOEXEC = 1n
const FSCONFIG = { SET_FLAG: 0n, SET_STRING: 1n, CMD_CREATE: 6n } as const
const EMPTY = cstring("")

export const MOUNT_ATTR = {
  RDONLY: 0x1,
  NOSUID: 0x2,
  NODEV: 0x4,
  NOEXEC: 0x8,
  /** The three kinds of access times are one field. */
  ATIME: 0x70,
  NOATIME: 0x10,
  STRICTATIME: 0x20,
  NODIRATIME: 0x80,
} as const

/** A copy of what is mounted at a path of this namespace, not mounted anywhere; the caller closes it. */
export function cloneTree(path: string, options: { readonly recursive: boolean }): number {
  const name = cstring(path)
  const flags = OPEN_TREE_CLONE | O_CLOEXEC | (options.recursive ? AT_RECURSIVE : 0)
  return check(libc().syscall(SYS.open_tree, AT_FDCWD, address(name), BigInt(flags), 0n, 0n, 0n), "open_tree", path)
}

/** A new file system, not mounted anywhere. `attributes` are bits of MOUNT_ATTR. */
export function newFilesystem(
  type: string,
  parameters: readonly (readonly [string, string])[],
  attributes: number,
): number {
  const name = cstring(type)
  const context = check(libc().syscall(SYS.fsopen, address(name), 1n, 0n, 0n, 0n, 0n), "fsopen", type)
  try {
    const configure = (command: bigint, key: bigint, value: bigint, what: string): void => {
      check(libc().syscall(SYS.fsconfig, BigInt(context), command, key, value, 0n, 0n), "fsconfig", what)
    }
    for (const [parameter, text] of parameters) {
      const key = cstring(parameter)
      const value = cstring(text)
      configure(FSCONFIG.SET_STRING, address(key), address(value), `${parameter}=${text}`)
    }
    configure(FSCONFIG.CMD_CREATE, 0n, 0n, type)
    return check(
      libc().syscall(SYS.fsmount, BigInt(context), FSMOUNT_CLOEXEC, BigInt(attributes), 0n, 0n, 0n),
      "fsmount",
      type,
    )
  } finally {
    closeSync(context)
  }
}

export type Attributes = {
  readonly set: number
  readonly clear: number
  /** MS.PRIVATE and the like; 0 leaves it. */
  readonly propagation: number
}

export function setAttributes(tree: number, attributes: Attributes, options: { readonly recursive: boolean }): void {
  const { set, clear, propagation } = attributes
  if (set === 0 && clear === 0 && propagation === 0) return
  // struct mount_attr
  const bytes = new Uint8Array(new BigUint64Array([BigInt(set), BigInt(clear), BigInt(propagation), 0n]).buffer)
  const flags = BigInt(AT_EMPTY_PATH | (options.recursive ? AT_RECURSIVE : 0))
  check(
    libc().syscall(SYS.mount_setattr, BigInt(tree), address(EMPTY), flags, address(bytes), 32n, 0n),
    "mount_setattr",
  )
}

/** Mounts a tree on the open file or directory `target`, which is in this thread's mount namespace. */
export function attachTree(tree: number, target: number): void {
  const flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH
  check(
    libc().syscall(SYS.move_mount, BigInt(tree), address(EMPTY), BigInt(target), address(EMPTY), flags, 0n),
    "move_mount",
  )
}
