// Mount options, as the OCI specification writes them, for mounts that are descriptors.
import { DhowError } from "../../lib/errors.ts"
import { MS } from "../../lib/syscalls/mount.ts"
import { MOUNT_ATTR } from "../../lib/syscalls/mount-tree.ts"

export type TreeOptions = {
  /** Bind what is mounted below the source as well. */
  readonly recursive: boolean
  readonly set: number
  readonly clear: number
  /** Set on what is mounted below, too. */
  readonly setBelow: number
  readonly propagation: number
  readonly propagationBelow: boolean
  /** Parameters of a new file system. */
  readonly parameters: readonly (readonly [string, string])[]
}

const PROPAGATION: Readonly<Record<string, number>> = {
  private: MS.PRIVATE,
  slave: MS.SLAVE,
  shared: MS.SHARED,
  unbindable: MS.UNBINDABLE,
}
const { ATIME, NOATIME, STRICTATIME } = MOUNT_ATTR
/** Word → bits that it sets and bits that it clears. */
const FLAGS: Readonly<Record<string, readonly [number, number]>> = {
  ro: [MOUNT_ATTR.RDONLY, 0],
  rw: [0, 0],
  nosuid: [MOUNT_ATTR.NOSUID, 0],
  suid: [0, 0],
  nodev: [MOUNT_ATTR.NODEV, 0],
  dev: [0, 0],
  noexec: [MOUNT_ATTR.NOEXEC, 0],
  exec: [0, 0],
  noatime: [NOATIME, ATIME],
  relatime: [0, ATIME],
  strictatime: [STRICTATIME, ATIME],
  nodiratime: [MOUNT_ATTR.NODIRATIME, 0],
}
const PARAMETERS = new Set(["size", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol"])

export function treeOptions(words: readonly string[]): TreeOptions {
  let [set, clear, setBelow, propagation] = [0, 0, 0, 0]
  let propagationBelow = false
  let recursive = false
  const parameters: [string, string][] = []
  for (const word of words) {
    const [name = "", value] = cut(word)
    const flag = FLAGS[word]
    const kind = PROPAGATION[word.replace(/^r(?=[psu])/, "")]
    if (word === "bind") recursive = false
    else if (word === "rbind") recursive = true
    else if (word === "rro") setBelow |= MOUNT_ATTR.RDONLY
    else if (flag !== undefined) {
      set = (set & ~flag[1]) | flag[0]
      clear |= flag[1]
    } else if (kind !== undefined) {
      propagation = kind
      propagationBelow = word.startsWith("r")
    } else if (value !== undefined && PARAMETERS.has(name)) parameters.push([name, value])
    else
      throw new DhowError("invalid", `Mount option "${word}" cannot be given to a container that runs`, {
        hint: "Restart the container with it",
      })
  }
  return { recursive, set, clear, setBelow, propagation, propagationBelow, parameters }
}

function cut(word: string): readonly [string, string?] {
  const at = word.indexOf("=")
  return at < 0 ? [word] : [word.slice(0, at), word.slice(at + 1)]
}
