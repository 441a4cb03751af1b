// What a mount makes of the owners of its files, as a user writes it: "me", "UID:GID", or ranges of ids. Pure.
//   me | UID[:GID]                   the container's user inside is this user outside; nobody else is mapped
//   uids=C:H:N[;uids=…][;gids=C:H:N] N ids from C on inside are those from H on outside; groups as users where not said
import { DhowError } from "../../lib/errors.ts"
import type { IdRange, IdRanges } from "../../lib/syscalls/id-map.ts"
import type { Mount } from "../../wire/container.ts"
import type { Caller } from "../contract.ts"

export type MountMap =
  | { readonly kind: "owner"; readonly uid: number; readonly gid: number }
  | ({ readonly kind: "ranges" } & IdRanges)

/** The kernel's limits: the last id means none, and a namespace has at most so many ranges. */
const HIGHEST_ID = 2 ** 32 - 2
const MOST_RANGES = 340

/** "me" is the caller: what is recorded names a number. */
export function chosenMap(text: string, caller: Caller | undefined): string {
  if (text !== "me") {
    parseMountMap(text)
    return text
  }
  if (caller === undefined)
    throw new DhowError("invalid", 'invalid map "me": only on a unix socket is it known who calls', {
      hint: "Name the owner: map=UID:GID",
    })
  return `${caller.uid}:${caller.gid}`
}

/** The same of a mount as the API carries it. */
export function withChosenMap(mount: Mount, caller: () => Caller | undefined): Mount {
  const { BindOptions, VolumeOptions } = mount
  if (BindOptions?.Map) return { ...mount, BindOptions: { ...BindOptions, Map: chosenMap(BindOptions.Map, caller()) } }
  if (VolumeOptions?.Map)
    return { ...mount, VolumeOptions: { ...VolumeOptions, Map: chosenMap(VolumeOptions.Map, caller()) } }
  return mount
}

export function parseMountMap(text: string): MountMap {
  const invalid = (why: string): DhowError =>
    new DhowError("invalid", `invalid map "${text}": ${why}`, {
      hint: 'Expected me, UID:GID, or ranges of ids as in "uids=0:100000:65536;gids=0:100000:65536" (inside:outside:count)',
    })
  const id = (digits: string): number => {
    const value = Number(digits)
    if (value > HIGHEST_ID) throw invalid(`${digits} is no id`)
    return value
  }
  const owner = /^(\d+)(?::(\d+))?$/.exec(text)
  if (owner !== null) {
    const [, uid = "", gid = uid] = owner
    return { kind: "owner", uid: id(uid), gid: id(gid) }
  }
  const uids: IdRange[] = []
  const gids: IdRange[] = []
  for (const part of text.split(";")) {
    const [, kind, container = "", host = "", size = ""] = /^(uids|gids)=(\d+):(\d+):(\d+)$/.exec(part) ?? []
    if (kind === undefined) throw invalid(part === text ? "it is neither an owner nor ranges" : `"${part}" is no range`)
    const range = { container: id(container), host: id(host), size: Number(size) }
    if (range.size < 1) throw invalid(`"${part}" is empty`)
    if (Math.max(range.container, range.host) + range.size - 1 > HIGHEST_ID) throw invalid(`"${part}" is too long`)
    const list = kind === "uids" ? uids : gids
    for (const side of ["container", "host"] as const)
      if (list.some((other) => overlap(range, other, side)))
        throw invalid(`"${part}" has ids ${side === "host" ? "outside" : "inside"} that another range has`)
    list.push(range)
    if (list.length > MOST_RANGES) throw invalid(`more than ${MOST_RANGES} ranges`)
  }
  if (uids.length === 0) throw invalid("it has no uids")
  return { kind: "ranges", uids, gids: gids.length > 0 ? gids : uids }
}

function overlap(one: IdRange, other: IdRange, side: "container" | "host"): boolean {
  return one[side] < other[side] + other.size && other[side] < one[side] + one.size
}

/** `user` is who the container's program is. */
export function rangesOf(map: MountMap, user: { readonly uid: number; readonly gid: number }): IdRanges {
  if (map.kind === "ranges") return map
  return {
    uids: [{ container: user.uid, host: map.uid, size: 1 }],
    gids: [{ container: user.gid, host: map.gid, size: 1 }],
  }
}

/** The id that a file has on the disk; undefined for one that is not mapped. */
export function outside(id: number, ranges: readonly IdRange[]): number | undefined {
  const range = ranges.find(({ container, size }) => id >= container && id < container + size)
  return range === undefined ? undefined : range.host + id - range.container
}

/** Who has what belongs to nobody that is mapped: the first of each. */
export function defaultOwner({ uids, gids }: IdRanges): { readonly uid: number; readonly gid: number } {
  return { uid: uids[0]?.host ?? 0, gid: gids[0]?.host ?? 0 }
}
