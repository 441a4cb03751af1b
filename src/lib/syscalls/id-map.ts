// Idmapped mounts (mount_setattr(2) with MOUNT_ATTR_IDMAP): a mount on which the owners of files are other ones than on
// the disk. The kernel takes the numbers from a user namespace, which nobody ever runs in.
import { closeSync, openSync, readlinkSync, writeFileSync } from "node:fs"
import { DhowError } from "../errors.ts"
import { address, check, cstring, libc } from "./libc.ts"

/** `size` ids from `host` on, as the files have them, are seen as those from `container` on. */
export type IdRange = { readonly container: number; readonly host: number; readonly size: number }
export type IdRanges = { readonly uids: readonly IdRange[]; readonly gids: readonly IdRange[] }

const SYS_mount_setattr = 442n
const AT_EMPTY_PATH = 0x1000
const AT_RECURSIVE = 0x8000
const MOUNT_ATTR_IDMAP = 0x10_0000n
const EMPTY = cstring("")

/** An open user namespace that stands for the ranges. */
async function openIdNamespace({ uids, gids }: IdRanges): Promise<number> {
  // unshare becomes cat, which answers once the namespace is there, and ends with its input.
  const child = Bun.spawn(["unshare", "--user", "cat"], { stdin: "pipe", stdout: "pipe", stderr: "pipe" })
  try {
    child.stdin.write("\n")
    child.stdin.flush()
    const { done } = await child.stdout.getReader().read()
    const own = `/proc/${child.pid}/ns/user`
    if (done || readlinkSync(own) === readlinkSync("/proc/self/ns/user"))
      throw new DhowError("unavailable", "The kernel gives no user namespace, which a mount's map of ids needs", {
        hint: "See the sysctl user.max_user_namespaces",
        cause: new Error((await new Response(child.stderr).text()).trim()),
      })
    writeFileSync(`/proc/${child.pid}/uid_map`, lines(uids))
    writeFileSync(`/proc/${child.pid}/gid_map`, lines(gids))
    return openSync(own, "r")
  } finally {
    child.kill("SIGKILL")
    await child.exited
  }
}

/** The first column is what the disk says, the second what is seen. */
function lines(ranges: readonly IdRange[]): string {
  return ranges.map(({ container, host, size }) => `${host} ${container} ${size}\n`).join("")
}

/** Maps a tree that is not mounted yet. Fails with EINVAL where a file system cannot, with EPERM where it is mapped already. */
export function mapTree(tree: number, namespace: number, options: { readonly recursive: boolean }): void {
  // struct mount_attr
  const bytes = new Uint8Array(new BigUint64Array([MOUNT_ATTR_IDMAP, 0n, 0n, BigInt(namespace)]).buffer)
  const flags = BigInt(AT_EMPTY_PATH | (options.recursive ? AT_RECURSIVE : 0))
  check(
    libc().syscall(SYS_mount_setattr, BigInt(tree), address(EMPTY), flags, address(bytes), 32n, 0n),
    "mount_setattr",
  )
}

/** The same, for the length of a block. */
export async function idNamespace(ranges: IdRanges): Promise<{ readonly fd: number } & Disposable> {
  const fd = await openIdNamespace(ranges)
  return { fd, [Symbol.dispose]: () => closeSync(fd) }
}
