// What a container's user may do with its mounts, and with the files in them that its last lines name, by owner and mode on
// the host. Read for a container that just ended, or that runs; a file system that hangs is not waited for.
import { readFileSync, type Stats } from "node:fs"
import { lstat, stat } from "node:fs/promises"
import { join, posix } from "node:path"
import { answering } from "../../lib/answering.ts"
import type { RuntimeSpec } from "../../oci/runtime-spec.ts"
import type { LogLine, MountAccess, ProcessUser } from "../../wire/exit.ts"
import { placedMounts } from "../containers/image-mounts.ts"
import { parseMountMap, rangesOf } from "../containers/mount-map.ts"
import { mountSource } from "../containers/mounts.ts"
import type { ContainerParts } from "../containers/parts.ts"
import { containerPaths } from "../containers/paths.ts"
import type { ContainerRecord, ResolvedMount } from "../containers/record.ts"
import { accessOf, hostUser, throughMap } from "./access.ts"
import { namedPaths } from "./named-paths.ts"
import { soon } from "./soon.ts"

export type Identity = { readonly user: ProcessUser; readonly mounts: MountAccess[] }

/** From the specification that it ran with; undefined where that is gone, as after a reboot. */
export async function readIdentity(
  parts: ContainerParts,
  record: ContainerRecord,
  lines: readonly LogLine[],
): Promise<Identity | undefined> {
  const paths = containerPaths(parts.config, record.id)
  let spec: RuntimeSpec
  try {
    spec = JSON.parse(readFileSync(join(paths.bundle, "config.json"), "utf8"))
  } catch {
    return undefined
  }
  const user = hostUser(spec)
  // At the start of a program a user other than root loses them.
  const overrides = user.Uid === 0 && spec.process.capabilities.effective.includes("CAP_DAC_OVERRIDE")
  const who = { user, overrides }
  const named = namedPaths(lines, record.config.WorkingDir || "/")
  const access = await Promise.all([
    ...placedMounts(record.mounts, paths).map((mount) => ofMount(mount, who, named)),
    ...Object.entries(record.hostConfig.Tmpfs ?? {}).map(([Destination, options]) =>
      ofTmpfs({ Destination, options: options.split(",") }, who),
    ),
  ])
  return { user, mounts: access.flat() }
}

type Who = { readonly user: ProcessUser; readonly overrides: boolean }

async function ofMount(mount: ResolvedMount, who: Who, named: readonly string[]): Promise<MountAccess[]> {
  if (mount.Type === "tmpfs") return [ofTmpfs(mount, who)]
  const { Type, Destination, RW, Map: map } = mount
  const ranges = map === undefined ? undefined : rangesOf(parseMountMap(map), { uid: who.user.Uid, gid: who.user.Gid })
  const seen = throughMap(who, ranges)
  const describe = (found: Stats, Source: string, Path?: string): MountAccess => ({
    ...{ Type, Source, Destination, RW },
    ...(Path === undefined ? {} : { Path }),
    ...(map === undefined ? {} : { Map: map, ...seen.numbers }),
    ...accessOf(found, seen.user, { overrides: seen.overrides(found), RW }),
  })
  let source: string
  try {
    await answering([mount.Source])
    source = mountSource(mount)
  } catch {
    return []
  }
  const root = await soon(stat(source))
  if (root === undefined) return []
  const described = [describe(root, source)]
  for (const path of named) {
    if (!path.startsWith(`${Destination}/`)) continue
    const found = await blamed({ source, destination: Destination, path }, (one) => describe(one, ""))
    if (found !== undefined) described.push(describe(found.stats, found.source, found.path))
  }
  return described
}

/** The first on the way to a file that lets it not through, or else the file; undefined where it is not there. */
async function blamed(
  { source, destination, path }: { readonly source: string; readonly destination: string; readonly path: string },
  access: (found: Stats) => MountAccess,
): Promise<{ readonly stats: Stats; readonly source: string; readonly path: string } | undefined> {
  let at = { source, path: destination }
  let last: { readonly stats: Stats; readonly source: string; readonly path: string } | undefined
  for (const name of path.slice(destination.length + 1).split("/")) {
    at = { source: join(at.source, name), path: posix.join(at.path, name) }
    // A link may lead anywhere, and is not followed.
    const stats = await soon(lstat(at.source))
    if (stats === undefined || stats.isSymbolicLink()) return last
    last = { ...at, stats }
    const { Readable, Writable } = access(stats)
    if (stats.isDirectory() && !Readable && !Writable) return last
  }
  return last
}

const OPTION = /^(?:uid|gid|mode)=\d+$/

/** As it was when it was mounted: a new one is anybody's. */
function ofTmpfs(
  { Destination, options }: { readonly Destination: string; readonly options: readonly string[] },
  { user, overrides }: Who,
): MountAccess {
  const said = new Map(options.flatMap((word) => (OPTION.test(word) ? [word.split("=", 2) as [string, string]] : [])))
  const found = {
    uid: Number(said.get("uid") ?? 0),
    gid: Number(said.get("gid") ?? 0),
    mode: Number.parseInt(said.get("mode") ?? "1777", 8),
    isDirectory: () => true,
  }
  const RW = !options.includes("ro")
  return { Type: "tmpfs", Source: "", Destination, RW, ...accessOf(found, user, { overrides, RW }) }
}
