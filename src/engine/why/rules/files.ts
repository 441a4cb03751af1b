// Files that it may not read or write: read-only ones, a full disk, and what no mount is to blame for.
import { REFUSED } from "../../exits/named-paths.ts"
import { again, type Ended, type Rule } from "../facts.ts"
import { size, word } from "../words.ts"
import { identity, mountRefused, mountUnmapped } from "./mounts.ts"
import { lineWith } from "./output.ts"

const READ_ONLY = /read-only file system|\bEROFS\b/i
const FULL = /no space left on device|\bENOSPC\b|disk quota exceeded|\bEDQUOT\b/i

/** Refused, and no mount is to blame: capabilities, seccomp, the image's own files. */
export const refused: Rule<Ended> = (facts) => {
  const line = lineWith(facts, REFUSED)
  const user = facts.last.Detail?.User
  if (line === undefined || mountRefused(facts) !== undefined || mountUnmapped(facts) !== undefined) return undefined
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
