// Files of a mount that its user may not read or write: who that user is on the host, by user namespace and by the mount's
// own map, and who owns the files.
import type { MountAccess, ProcessUser } from "../../../wire/exit.ts"
import type { Fix } from "../../../wire/why.ts"
import { REFUSED } from "../../exits/named-paths.ts"
import { again, type Facts, identityOf, linesOf, type Rule } from "../facts.ts"
import { word } from "../words.ts"
import { lineWith } from "./output.ts"

/** What the kernel says to who makes a file and is nobody on the disk. */
const NOBODY = /value too large for (?:defined )?data type|\bEOVERFLOW\b/i

export const mountRefused: Rule = (facts) => {
  const line = lineWith(facts, REFUSED)
  const known = identityOf(facts)
  if (line === undefined || known === undefined) return undefined
  const refused = known.mounts.filter((mount) => !mount.Readable || (mount.RW && !mount.Writable))
  // What is named is to blame before a mount that nobody spoke of, and a file before what it lies in.
  const named = refused.filter(({ Path, Destination }) => Path !== undefined || mentions(facts, Destination))
  const mount = named.find(({ Path }) => Path !== undefined) ?? named[0] ?? refused[0]
  if (mount === undefined) return undefined
  const where = mount.Path ?? mount.Destination
  return {
    Code: "mount-permission",
    What: `Its user may not ${mount.Readable ? "write to" : "read"} "${where}": ${whose(mount)}`,
    Evidence: [line, identity(known.user), ...through(mount, known.user), ownership(mount)],
    Fixes: fixes(facts, mount, known.user),
  }
}

function mentions(facts: Facts, path: string): boolean {
  return linesOf(facts).some(({ Text }) => REFUSED.test(Text) && Text.includes(path))
}

function whose({ Type, Source }: MountAccess): string {
  if (Type === "tmpfs") return "its tmpfs belongs to another user"
  return Type === "image"
    ? "the image that is mounted there has it for another user"
    : `on the host that is "${Source}" of another owner`
}

/** A user whom a map leaves out, such as root in a container of another user. */
export const mountUnmapped: Rule = (facts) => {
  const line = lineWith(facts, NOBODY)
  const known = identityOf(facts)
  const mapped = (known?.mounts ?? []).filter(({ Map: map, Path }) => map !== undefined && Path === undefined)
  const mount = mapped.find(({ Destination }) => line?.includes(Destination)) ?? mapped[0]
  if (line === undefined || known === undefined || mount === undefined) return undefined
  return {
    Code: "mount-unmapped",
    What: `A user that the map of "${mount.Destination}" leaves out tried to make or give away a file there`,
    Evidence: [line, identity(known.user), ...through(mount, known.user)],
    Fixes: [
      { Text: "Let the process be the user that is mapped, with --user, or exec without one" },
      { Text: 'Or map more users, each to one of its own on the host: map="uids=0:100000:65536"' },
    ],
  }
}

export function identity({ Uid, Gid, Groups, HostUid, HostGid }: ProcessUser): string {
  const others = Groups.filter((group) => group !== Gid)
  const who = `It ran as uid ${Uid}, gid ${Gid}${others.length > 0 ? ` and groups ${others.join(", ")}` : ""}`
  return HostUid === Uid && HostGid === Gid
    ? `${who}, which are the same numbers on the host: no user namespace is between`
    : `${who}; its user namespace makes that uid ${HostUid}, gid ${HostGid} on the host`
}

/** Nothing where no map is between. */
function through({ Destination, Map: map, AsUid, AsGid }: MountAccess, { Uid, Gid }: ProcessUser): string[] {
  if (map === undefined) return []
  const one = (kind: string, inside: number, on: number | undefined): string =>
    `container ${kind} ${inside} → ${on === undefined ? "nobody" : `host ${kind} ${on}`}`
  return [`The map of "${Destination}" (${map}): ${one("uid", Uid, AsUid)}, ${one("gid", Gid, AsGid)}`]
}

function ownership({ Type, Source, Path, Destination, Directory, Uid, Gid, Mode }: MountAccess): string {
  const name = Type === "bind" || Type === "volume" ? Source : (Path ?? Destination)
  return `The ${Directory ? "directory" : "file"} "${name}" belongs to uid ${Uid}, gid ${Gid}, mode ${Mode}`
}

function fixes(facts: Facts, mount: MountAccess, user: ProcessUser): Fix[] {
  const { Type, Source, Destination, Uid, Gid, Directory, Path } = mount
  const tmpfs = `--tmpfs ${word(`${Destination}:uid=${user.Uid},gid=${user.Gid}`)}`
  if (Type === "tmpfs") return [{ Text: "Give it to the container's user", Command: again(facts, tmpfs) }]
  const isMapped = mount.Map !== undefined
  const [uid, gid] = isMapped ? [mount.AsUid, mount.AsGid] : [user.HostUid, user.HostGid]
  const isWholeBind = Type === "bind" && Path === undefined
  const ways: (Fix | false)[] = [
    Type !== "image" &&
      uid !== undefined &&
      gid !== undefined && {
        Text: "Give it to the container's user, on the host",
        Command: `chown ${Directory ? "-R " : ""}${uid}:${gid} ${word(Source)}`,
      },
    // Root's files are nobody's to be handed out by a hint.
    isWholeBind &&
      Uid !== 0 && {
        Text: "Let its owner be the container's user inside, without changing a file",
        Command: again(facts, `-v ${word(`${Source}:${Destination}:map=${Uid}:${Gid}`)}`),
      },
    user.HostUid === user.Uid &&
      !isMapped && { Text: "Run as its owner", Command: again(facts, `--user ${Uid}:${Gid}`) },
    isWholeBind && {
      Text: "Use a volume, which the image's directory gives its owner",
      Command: again(facts, `-v ${word(`data:${Destination}`)}`),
    },
  ]
  return ways
    .filter((way) => way !== false)
    .map((way, at) => (at === 0 ? way : { ...way, Text: `Or ${way.Text[0]?.toLowerCase()}${way.Text.slice(1)}` }))
}
