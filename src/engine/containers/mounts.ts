// From wishes to mounts: at create, what each destination gets (volumes come into being here); at start, what the
// runtime is told (sources made, volumes filled from the image).

import { closeSync, constants, existsSync, lchownSync, mkdirSync, readlinkSync, statfsSync, statSync } from "node:fs"
import { release } from "node:os"
import { dirname } from "node:path"
import { answering } from "../../lib/answering.ts"
import { DhowError, errnoName } from "../../lib/errors.ts"
import type { IdRanges } from "../../lib/syscalls/id-map.ts"
import { openBeneath } from "../../lib/syscalls/open-in-root.ts"
import type { Digest } from "../../oci/digest.ts"
import type { RuntimeMount } from "../../oci/runtime-spec.ts"
import type { ContainerConfig, HostConfig, Mount } from "../../wire/container.ts"
import type { Caller } from "../contract.ts"
import type { LocalVolumes, PreparedVolume } from "../volumes/volumes.ts"
import { fillVolume } from "./fill-volume.ts"
import { mapMount } from "./mapped-mounts.ts"
import { chosenMap, parseMountMap, rangesOf } from "./mount-map.ts"
import { ownerOutside } from "./mount-owners.ts"
import { type MountWish, parseBind, parseMount, parseVolumesFrom } from "./mount-specs.ts"
import { bindPropagation, guardedPropagation } from "./propagation.ts"
import type { ResolvedMount } from "./record.ts"
import type { ContainerStore } from "./store.ts"
import type { FoundMount } from "./volume-holds.ts"

type Sources = {
  readonly volumes: LocalVolumes
  /** The id of an image by its name. */
  readonly image: (reference: string) => Digest
  /** The engine's own directories. */
  readonly roots: readonly string[]
  readonly store: ContainerStore
  /** Who asks; undefined where that is not known. */
  readonly caller?: () => Caller | undefined
  /** What `-v` makes read-only is so on its top level only. */
  readonly readOnlyNonRecursive?: boolean
  /** Is given the anonymous volumes, each of which is to be committed or undone. */
  readonly prepared: (volume: PreparedVolume) => void
}

/** Everything a container mounts, in order of destination; makes the named volumes and prepares the anonymous ones. */
export function resolveMounts(config: ContainerConfig, hostConfig: HostConfig, sources: Sources): ResolvedMount[] {
  const byDestination = new Map<string, ResolvedMount>()
  // Later kinds win over earlier ones, as in Docker: volumes-from, then binds, then mounts, then the image's volumes.
  for (const text of hostConfig.VolumesFrom ?? []) {
    const { container, readOnly } = parseVolumesFrom(text)
    for (const mount of sources.store.resolve(container).record.mounts)
      byDestination.set(mount.Destination, inherited(mount, readOnly))
  }
  const wishes = new Map<string, MountWish>()
  const add = (wish: MountWish): void => {
    if (wishes.has(wish.destination) || Object.hasOwn(hostConfig.Tmpfs ?? {}, wish.destination))
      throw new DhowError("invalid", `Duplicate mount point: ${wish.destination}`)
    wishes.set(wish.destination, labelled(wish))
  }
  const shallow = sources.readOnlyNonRecursive === true ? { readOnlyNonRecursive: true } : {}
  for (const text of hostConfig.Binds ?? [])
    add(withDriver({ ...parseBind(text), ...shallow }, hostConfig.VolumeDriver))
  for (const mount of hostConfig.Mounts ?? []) add(parseMount(mount))
  for (const destination of Object.keys(config.Volumes ?? {})) {
    const wish = withDriver(parseBind(destination), hostConfig.VolumeDriver)
    const isTmpfs = Object.hasOwn(hostConfig.Tmpfs ?? {}, wish.destination)
    if (wishes.has(wish.destination) || byDestination.has(wish.destination) || isTmpfs) continue
    wishes.set(wish.destination, wish)
  }
  // Volumes last: what is refused leaves none behind.
  for (const wish of [...wishes.values()].sort((a, b) => Number(a.type === "volume") - Number(b.type === "volume")))
    byDestination.set(wish.destination, resolve(wish, sources))
  return [...byDestination.values()].sort((a, b) => depth(a.Destination) - depth(b.Destination))
}

/** Another container's mount: it is filled already, and what that container may not write this one may not either. */
function inherited(mount: ResolvedMount, readOnly: boolean): ResolvedMount {
  const writable = mount.RW && !readOnly
  const options = mount.options.map((option) => (option === "rw" && !writable ? "rro" : option))
  return { ...mount, RW: writable, options, Mode: "", copyUp: false, anonymous: false }
}

/** One more mount of a container that is there already. */
export function resolveMount(mount: Mount, sources: Sources): ResolvedMount {
  return resolve(labelled(parseMount(mount)), sources)
}

/** Docker shows a volume that was asked for as shared between containers, where labels are in use. */
function labelled(wish: MountWish): MountWish {
  return wish.type === "volume" && wish.mode === "" ? { ...wish, mode: "z" } : wish
}

/** --volume-driver is about the volumes of -v and of the image, not about those of --mount. */
function withDriver(wish: MountWish, driver: string | undefined): MountWish {
  return wish.type === "volume" && driver ? { ...wish, driver } : wish
}

function depth(path: string): number {
  return path.split("/").length
}

function resolve(wish: MountWish, { volumes, prepared, image, roots, caller }: Sources): ResolvedMount {
  const common = {
    ...(wish.map === undefined ? {} : { Map: chosenMap(wish.map, caller?.()) }),
    Destination: wish.destination,
    Mode: wish.mode,
    RW: !wish.readOnly,
    createSource: wish.createSource,
    copyUp: wish.copyUp,
    anonymous: false,
    options: [],
  }
  if (wish.destination === "/proc" && !(wish.type === "bind" && isProc(wish.source)))
    throw new DhowError("invalid", '"/proc" cannot be mounted because it is not of type proc')
  switch (wish.type) {
    case "bind": {
      if (!wish.createSource && !existsSync(wish.source))
        throw new DhowError(
          "invalid",
          `invalid mount config for type "bind": bind source path does not exist: ${wish.source}`,
        )
      const readOnly = wish.readOnlyNonRecursive || wish.nonRecursive ? "ro" : "rro"
      // A mapped mount is private whatever lies there.
      const implied = wish.map === undefined ? guardedPropagation(wish.source, wish.propagation, roots) : undefined
      return {
        ...common,
        Type: "bind",
        Source: wish.source,
        Propagation: implied ?? (wish.propagation || "rprivate"),
        ...(implied === undefined ? {} : { impliedPropagation: true }),
        ...(wish.readOnlyForceRecursive ? { forceReadOnly: true } : {}),
        options: [wish.nonRecursive ? "bind" : "rbind", wish.readOnly ? readOnly : "rw"],
      }
    }
    case "volume": {
      const anonymous = wish.source === ""
      const options = {
        ...(wish.driver === undefined ? {} : { driver: wish.driver }),
        ...(wish.driverOptions === undefined ? {} : { options: wish.driverOptions }),
        ...(wish.labels === undefined ? {} : { labels: wish.labels }),
      }
      let name = wish.source
      let source: string
      if (anonymous) {
        const volume = volumes.prepareAnonymous(options)
        prepared(volume)
        name = volume.name
        source = volume.path
      } else {
        volumes.ensure(name, options)
        source = volumes.path(name)
      }
      return {
        ...common,
        Type: "volume",
        Name: name,
        Driver: "local",
        Source: source,
        Propagation: wish.propagation,
        anonymous,
        options: ["rbind", "rprivate", wish.readOnly ? "rro" : "rw"],
        ...(wish.subpath === undefined ? {} : { subpath: wish.subpath }),
      }
    }
    case "image":
      return {
        ...common,
        Type: "image",
        Name: wish.source,
        Source: "",
        RW: false,
        Propagation: "rprivate",
        image: image(wish.source),
        options: ["rbind", "rprivate", "rro"],
        ...(wish.subpath === undefined ? {} : { subpath: wish.subpath }),
      }
    case "tmpfs":
      return {
        ...common,
        Type: "tmpfs",
        Source: "",
        Propagation: "",
        options: ["noexec", "nosuid", "nodev", wish.readOnly ? "ro" : "rw", ...(wish.tmpfsOptions ?? [])],
      }
    default:
      return wish.type satisfies never
  }
}

const PROC_MAGIC = 0x9fa0

function isProc(path: string): boolean {
  return existsSync(path) && statfsSync(path).type === PROC_MAGIC
}

type Run = {
  /** Mounted. */
  readonly rootfs: string
  /** Who the container's program is. */
  readonly user: () => { readonly uid: number; readonly gid: number }
  /** Where mapped mounts are put for the runtime; where absent the files are shown as the host has them. */
  readonly mapped?: string
}

/** Where the host's files of mounts are; what of it is the user's choice may not answer. */
export function sourcesOf(mounts: readonly ResolvedMount[]): string[] {
  return mounts.flatMap(({ Type, Source }) => (Type === "bind" || Type === "volume" ? [Source] : []))
}

/** The mounts as the runtime takes them, with their sources made and filled. */
export async function runtimeMounts(
  mounts: readonly FoundMount[],
  { rootfs, user, mapped }: Run,
): Promise<RuntimeMount[]> {
  await answering(sourcesOf(mounts))
  const made: RuntimeMount[] = []
  for (const mount of mounts) {
    if (mount.Type === "tmpfs") {
      const isExec = mount.options.includes("exec")
      const options = mount.options.filter((option) => !(isExec && option === "noexec"))
      made.push({ destination: mount.Destination, type: "tmpfs", source: "tmpfs", options })
      continue
    }
    const ranges = mount.Map === undefined ? undefined : rangesOf(parseMountMap(mount.Map), user())
    if (mount.Type === "bind") ensureBindSource(mount, ranges)
    const source = mount.found?.path ?? mountSource(mount)
    const isDirectory = mount.found?.isDirectory ?? statSync(source).isDirectory()
    if (mount.Type === "volume" && isDirectory) await fillVolume(mount, source, { rootfs, ranges })
    const options = readOnlyOptions(mount, isDirectory)
    if (mount.Type === "bind") options.push(propagationOf(mount, source))
    const seen =
      ranges === undefined || mapped === undefined
        ? source
        : await mapMount(mount, { source, ranges, directory: mapped })
    made.push({ destination: mount.Destination, type: "bind", source: seen, options })
  }
  return made
}

/** mount_setattr(2), which makes a whole tree of mounts read-only, came with Linux 5.12. */
const [MAJOR = 0, MINOR = 0] = release().split(".").map(Number)
const READS_ONLY_BELOW = MAJOR > 5 || (MAJOR === 5 && MINOR >= 12)

function readOnlyOptions({ options, forceReadOnly }: ResolvedMount, isDirectory: boolean): string[] {
  if (!options.includes("rro")) return [...options]
  if (forceReadOnly && !READS_ONLY_BELOW)
    throw new DhowError("invalid", "rro is not supported: the kernel is older than 5.12")
  // crun 1.8 takes "rro" for directories only, and below a file there is nothing to be recursive about.
  const recursive = READS_ONLY_BELOW && isDirectory
  return options.map((option) => (option === "rro" && !recursive ? "ro" : option))
}

function propagationOf(mount: ResolvedMount, source: string): string {
  const implied = mount.impliedPropagation ?? false
  const found = bindPropagation({ source, propagation: mount.Propagation || "rprivate", implied })
  // A recursive propagation would make crun's bind recursive too; of a single mount both mean the same.
  return mount.options.includes("bind") ? found.replace(/^r/, "") : found
}

function ensureBindSource(mount: ResolvedMount, ranges: IdRanges | undefined): void {
  try {
    statSync(mount.Source)
  } catch (error) {
    if (errnoName(error) !== "ENOENT" || !mount.createSource)
      throw new DhowError(
        "invalid",
        `invalid mount config for type "bind": bind source path does not exist: ${mount.Source}`,
        { cause: error },
      )
    try {
      const first = mkdirSync(mount.Source, { recursive: true, mode: 0o755 })
      if (ranges !== undefined && first !== undefined) chownMade(first, mount.Source, ranges)
    } catch (cause) {
      throw new DhowError("internal", `error while creating mount source path '${mount.Source}'`, { cause })
    }
  }
}

/** Directories that were made on the way to `last` belong to who the container's root is outside. */
function chownMade(first: string, last: string, ranges: IdRanges): void {
  const { uid, gid } = ownerOutside({ uid: 0, gid: 0 }, ranges)
  for (let path = last; path === first || path.startsWith(`${first}/`); path = dirname(path)) lchownSync(path, uid, gid)
}

/** A subpath is written by whoever writes to the volume: it is resolved inside the volume, never above it. */
export function mountSource(mount: ResolvedMount): string {
  if (mount.subpath === undefined) return mount.Source
  let fd: number
  try {
    fd = openBeneath(mount.Source, mount.subpath, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (cause) {
    if (errnoName(cause) === "EXDEV")
      throw new DhowError(
        "invalid",
        `path concatenation escapes the base directory, base: ${mount.Source}, subpath: ${mount.subpath}`,
        { cause },
      )
    throw new DhowError("invalid", `cannot access path ${mount.subpath} of ${mount.Type} ${mount.Name}`, { cause })
  }
  try {
    const real = readlinkSync(`/proc/self/fd/${fd}`)
    if (real !== mount.Source && !real.startsWith(`${mount.Source}/`))
      throw new DhowError("invalid", `path ${mount.subpath} leads out of ${mount.Type} ${mount.Name}`)
    return real
  } finally {
    closeSync(fd)
  }
}
