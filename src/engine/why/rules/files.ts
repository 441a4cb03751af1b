// Files that it may not read or write: mounts of another owner, read-only ones, a full disk.
import type { MountAccess, ProcessUser } from "../../../wire/exit.ts"
import { again, type Ended, linesOf, type Rule } from "../facts.ts"
import { size, word } from "../words.ts"
import { lineWith } from "./output.ts"

const DENIED = /permission denied|operation not permitted|\bE(?:ACCES|PERM)\b/i
const READ_ONLY = /read-only file system|\bEROFS\b/i
const FULL = /no space left on device|\bENOSPC\b|disk quota exceeded|\bEDQUOT\b/i

export const mountRefused: Rule<Ended> = (facts) => {
  const line = lineWith(facts, DENIED)
  const { Detail: detail } = facts.last
  if (line === undefined || detail?.User === undefined) return undefined
  const user = detail.User
  const refused = detail.Mounts.filter((mount) => !mount.Readable || (mount.RW && !mount.Writable))
  const named = refused.find(({ Destination }) =>
    linesOf(facts).some(({ Text }) => DENIED.test(Text) && Text.includes(Destination)),
  )
  const mount = named ?? refused[0]
  if (mount === undefined) return undefined
  const what = mount.Readable ? "write to" : "read"
  return {
    Code: "mount-permission",
    What: `Its user may not ${what} "${mount.Destination}": on the host that is "${mount.Source}" of another owner`,
    Evidence: [line, identity(user), ownership(mount)],
    Fixes: fixes(facts, mount, user),
  }
}

function identity({ Uid, Gid, Groups, HostUid, HostGid }: ProcessUser): string {
  const others = Groups.filter((group) => group !== Gid)
  const who = `It ran as uid ${Uid}, gid ${Gid}${others.length > 0 ? ` and groups ${others.join(", ")}` : ""}`
  return HostUid === Uid && HostGid === Gid
    ? `${who}, which are the same numbers on the host: no user namespace is between`
    : `${who}; its user namespace makes that uid ${HostUid}, gid ${HostGid} on the host`
}

function ownership({ Source, Directory, Uid, Gid, Mode }: MountAccess): string {
  return `The ${Directory ? "directory" : "file"} "${Source}" belongs to uid ${Uid}, gid ${Gid}, mode ${Mode}`
}

function fixes(facts: Ended, mount: MountAccess, user: ProcessUser) {
  const { Source, Uid, Gid, Directory } = mount
  return [
    {
      Text: "Give it to the container's user, on the host",
      Command: `chown ${Directory ? "-R " : ""}${user.HostUid}:${user.HostGid} ${word(Source)}`,
    },
    ...(user.HostUid === user.Uid
      ? [{ Text: "Or run as its owner", Command: again(facts, `--user ${Uid}:${Gid}`) }]
      : []),
    ...(mount.Type === "bind"
      ? [
          {
            Text: "Or use a volume, which the image's directory gives its owner",
            Command: again(facts, `-v ${word(`data:${mount.Destination}`)}`),
          },
        ]
      : []),
  ]
}

/** Refused, and no mount is to blame: capabilities, seccomp, the image's own files. */
export const refused: Rule<Ended> = (facts) => {
  const line = lineWith(facts, DENIED)
  const user = facts.last.Detail?.User
  if (line === undefined || mountRefused(facts) !== undefined) return undefined
  return {
    Code: "permission",
    What: "Something was refused to it, and no mount of the host is to blame",
    Evidence: [line, ...(user === undefined ? [] : [identity(user)])],
    Fixes: [
      ...(user !== undefined && user.Uid !== 0
        ? [
            {
              Text: "See whether root may: then files of the image belong to another user",
              Command: again(facts, "--user 0"),
            },
          ]
        : []),
      {
        Text: "A system call may need a capability that containers are not given",
        Command: again(facts, "--cap-add NAME"),
      },
    ],
  }
}

export const readOnly: Rule<Ended> = (facts) => {
  const line = lineWith(facts, READ_ONLY)
  if (line === undefined) return undefined
  const { Settings: settings, Detail: detail } = facts.last
  const mounts = (detail?.Mounts ?? []).filter(({ RW }) => !RW)
  const mount =
    mounts.find(({ Destination }) => line.includes(Destination)) ?? (settings.ReadonlyRootfs ? undefined : mounts[0])
  if (mount !== undefined)
    return {
      Code: "mount-read-only",
      What: `"${mount.Destination}" is mounted read-only`,
      Evidence: [line],
      Fixes: [
        { Text: "Mount it writable", Command: again(facts, `-v ${word(`${mount.Source}:${mount.Destination}`)}`) },
      ],
    }
  if (!settings.ReadonlyRootfs)
    return { Code: "read-only", What: "It wrote to a file system that is read-only", Evidence: [line], Fixes: [] }
  return {
    Code: "root-read-only",
    What: "Its root file system is read-only (--read-only)",
    Evidence: [line],
    Fixes: [
      {
        Text: "Give it a place in memory where it has to write",
        Command: again(facts, "--read-only --tmpfs /tmp --tmpfs /run"),
      },
    ],
  }
}

export const diskFull: Rule<Ended> = (facts) => {
  const line = lineWith(facts, FULL)
  if (line === undefined) return undefined
  const { DiskFree: free, DiskSize: all } = facts.last.Detail ?? {}
  const isFull = free !== undefined && all !== undefined && free < Math.max(all / 100, 64 * 1024 ** 2)
  return {
    Code: "disk-full",
    What: isFull
      ? "The disk that holds its layer is full"
      : "It met a full file system, which is not the disk of its layer: a tmpfs, /dev/shm, or a mount",
    Evidence: [
      line,
      ...(free === undefined || all === undefined
        ? []
        : [`Free on the disk of the data root when it ended: ${size(free)} of ${size(all)}`]),
    ],
    Fixes: isFull
      ? [
          { Text: "See what holds how much", Command: "dhow system df" },
          { Text: "Remove what nobody uses", Command: "dhow system prune" },
        ]
      : [
          { Text: "Give /dev/shm or a tmpfs more room", Command: again(facts, "--shm-size 1g --tmpfs /tmp:size=2g") },
          {
            Text: `See how full its mounts are`,
            Command: `df -h ${(facts.last.Detail?.Mounts ?? []).map(({ Source }) => word(Source)).join(" ")}`.trim(),
          },
        ],
  }
}
