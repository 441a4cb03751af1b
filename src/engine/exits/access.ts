// What a user may do with a file, by owner, group and mode: the kernel's rule, computed for somebody else.
import type { IdRanges } from "../../lib/syscalls/id-map.ts"
import type { RuntimeSpec } from "../../oci/runtime-spec.ts"
import type { MountAccess, ProcessUser } from "../../wire/exit.ts"
import { outside } from "../containers/mount-map.ts"

type Owned = {
  readonly uid: number
  readonly gid: number
  readonly mode: number
  isDirectory(): boolean
}

/** Of the process of a specification: inside, and as the host knows it. */
export function hostUser({ process, linux }: Pick<RuntimeSpec, "process" | "linux">): ProcessUser {
  const { uid, gid, additionalGids = [] } = process.user
  return {
    Uid: uid,
    Gid: gid,
    Groups: [...additionalGids],
    HostUid: mapped(uid, linux.uidMappings),
    HostGid: mapped(gid, linux.gidMappings),
  }
}

type Mapping = { readonly containerID: number; readonly hostID: number; readonly size: number }

/** What nobody mapped is the kernel's overflow user. */
function mapped(id: number, mappings: readonly Mapping[] | undefined): number {
  if (mappings === undefined || mappings.length === 0) return id
  const range = mappings.find(({ containerID, size }) => id >= containerID && id < containerID + size)
  return range === undefined ? 65_534 : range.hostID + id - range.containerID
}

/** `overrides`: it has CAP_DAC_OVERRIDE over the file, which root of the same user namespace mostly has. */
export function accessOf(
  file: Owned,
  user: ProcessUser,
  options: { readonly overrides: boolean; readonly RW: boolean },
): Pick<MountAccess, "Directory" | "Uid" | "Gid" | "Mode" | "Readable" | "Writable"> {
  const shift = user.HostUid === file.uid ? 6 : groupsOf(user).includes(file.gid) ? 3 : 0
  const bits = (file.mode >> shift) & 7
  const directory = file.isDirectory()
  // To list or to write in a directory, one must be let in.
  const needed = (bit: number): number => (directory ? bit | 1 : bit)
  const may = (bit: number): boolean => options.overrides || (bits & needed(bit)) === needed(bit)
  return {
    Directory: directory,
    Uid: file.uid,
    Gid: file.gid,
    Mode: (file.mode & 0o7777).toString(8).padStart(3, "0"),
    Readable: may(4),
    Writable: options.RW && may(2),
  }
}

/** Who a process is to the files of a mount with a map: somebody else, or nobody. */
export function throughMap(
  { user, overrides }: { readonly user: ProcessUser; readonly overrides: boolean },
  ranges: IdRanges | undefined,
): {
  readonly user: ProcessUser
  readonly numbers: Pick<MountAccess, "AsUid" | "AsGid">
  readonly overrides: (file: Pick<Owned, "uid" | "gid">) => boolean
} {
  if (ranges === undefined) return { user, numbers: {}, overrides: () => overrides }
  const [uid, gid] = [outside(user.Uid, ranges.uids), outside(user.Gid, ranges.gids)]
  const Groups = user.Groups.flatMap((group) => outside(group, ranges.gids) ?? [])
  const isMapped = (id: number, list: IdRanges["uids"]): boolean =>
    list.some(({ host, size }) => id >= host && id < host + size)
  return {
    // No file belongs to -1.
    user: { Uid: uid ?? -1, Gid: gid ?? -1, Groups, HostUid: uid ?? -1, HostGid: gid ?? -1 },
    numbers: { ...(uid === undefined ? {} : { AsUid: uid }), ...(gid === undefined ? {} : { AsGid: gid }) },
    // A capability is of no use over what belongs to nobody inside.
    overrides: (file) => overrides && isMapped(file.uid, ranges.uids) && isMapped(file.gid, ranges.gids),
  }
}

/** Groups of a user namespace would have to be mapped too; there only the first one is known to the host. */
function groupsOf(user: ProcessUser): readonly number[] {
  return user.HostGid === user.Gid ? [user.HostGid, ...user.Groups] : [user.HostGid]
}
