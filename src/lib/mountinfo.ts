// What the kernel says is mounted, as this process sees it (proc_pid_mountinfo(5)).
import { readFileSync } from "node:fs"

export type MountEntry = {
  readonly id: number
  /** Id of the mount that it lies on. */
  readonly parent: number
  readonly path: string
  readonly type: string
  readonly options: readonly string[]
  /** "shared:1", "master:2": the peer groups it belongs to. */
  readonly propagation: readonly string[]
}

export function parseMountinfo(text: string): readonly MountEntry[] {
  return text.split("\n").flatMap((line) => {
    const [left = "", right = ""] = line.split(" - ")
    const [id, parent, , , path, options, ...propagation] = left.split(" ")
    if (path === undefined || options === undefined) return []
    const place = { id: Number(id), parent: Number(parent), path: unescaped(path) }
    return [{ ...place, type: right.split(" ")[0] ?? "", options: options.split(","), propagation }]
  })
}

/** What is mounted on exactly this path, the topmost where it is several. */
export function mountedAt(path: string): MountEntry | undefined {
  return parseMountinfo(readFileSync("/proc/self/mountinfo", "utf8")).findLast((entry) => entry.path === path)
}

/** What is mounted below this path, and on it, the innermost first. */
export function mountedBelow(path: string): readonly MountEntry[] {
  const all = parseMountinfo(readFileSync("/proc/self/mountinfo", "utf8"))
  return all.filter((entry) => entry.path === path || entry.path.startsWith(`${path}/`)).reverse()
}

/** The mount that a real path lies on. */
export function mountOf(path: string, mounts: readonly MountEntry[]): MountEntry | undefined {
  let found: MountEntry | undefined
  for (const entry of mounts) {
    const isAbove = entry.path === "/" || path === entry.path || path.startsWith(`${entry.path}/`)
    if (isAbove && entry.path.length >= (found?.path.length ?? 0)) found = entry
  }
  return found
}

const LOCAL = new Set(
  (
    "overlay tmpfs ramfs rootfs devtmpfs ext2 ext3 ext4 xfs btrfs zfs bcachefs f2fs jfs reiserfs vfat exfat ntfs3 udf " +
    "iso9660 erofs squashfs minix proc sysfs cgroup cgroup2 devpts mqueue hugetlbfs nsfs bpf debugfs tracefs securityfs " +
    "configfs pstore efivarfs binfmt_misc fusectl selinuxfs"
  ).split(" "),
)

/** Whether a file system of this type answers by itself: of any other a look could take for ever. */
export function answersByItself(type: string): boolean {
  return LOCAL.has(type)
}

/** Blanks and backslashes are written as three octal digits of a byte. */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}
