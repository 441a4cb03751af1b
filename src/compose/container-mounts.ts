// What a service mounts, as the Engine API has it: plain binds where they say everything, mounts for the rest.
import { DhowError } from "../lib/errors.ts"
import type { Mount } from "../wire/container.ts"
import { given } from "./container-resources.ts"
import type { FileMount, Project, ProjectFile, Service, ServiceMount } from "./model.ts"

export type Mounts = { readonly binds: string[]; readonly mounts: Mount[] }

/** A volume of the container that this one takes the place of, by where it is mounted. */
export type Inherited = ReadonlyMap<string, string>

export function mountsOf(project: Project, service: Service, inherited: Inherited = new Map()): Mounts {
  const binds: string[] = []
  const mounts: Mount[] = []
  const taken = new Set<string>()
  for (const volume of service.volumes ?? []) {
    taken.add(volume.target)
    const isAnonymous = volume.type === "volume" && volume.source === undefined
    const source = isAnonymous ? inherited.get(volume.target) : volume.source
    if (volume.type === "bind" && !needsMount(volume)) binds.push(bindText(volume.source!, volume))
    else if (volume.type === "volume" && !isAnonymous && !needsMount(volume))
      binds.push(bindText(project.volumes[volume.source!]!.name, volume))
    else mounts.push(mountOf(project, volume, source))
  }
  for (const [target, name] of inherited)
    if (!taken.has(target)) {
      taken.add(target)
      mounts.push({ Type: "volume", Source: name, Target: target })
    }
  for (const file of filesOf(project, service))
    if (file.from.file !== undefined && !taken.has(file.target))
      mounts.push({ Type: "bind", Source: file.from.file, Target: file.target, ReadOnly: true, BindOptions: {} })
  return { binds, mounts }
}

function needsMount({ bind, volume }: ServiceMount): boolean {
  if (bind !== undefined)
    return bind.create_host_path !== true || bind.propagation !== undefined || bind.recursive !== undefined
  return volume?.labels !== undefined || volume?.subpath !== undefined || volume?.nocopy === true
}

function bindText(source: string, { target, read_only, bind }: ServiceMount): string {
  return `${source}:${target}:${[read_only === true ? "ro" : "rw", ...(bind?.selinux === undefined ? [] : [bind.selinux])].join(",")}`
}

function mountOf(project: Project, mount: ServiceMount, source: string | undefined): Mount {
  const { type, bind, volume, tmpfs, image } = mount
  const named = type === "volume" && source !== undefined ? project.volumes[source]?.name : undefined
  return given<Mount>({
    Type: type,
    Source: named ?? source,
    Target: mount.target,
    ReadOnly: mount.read_only,
    Consistency: mount.consistency,
    BindOptions:
      type !== "bind"
        ? undefined
        : given<NonNullable<Mount["BindOptions"]>>({
            Propagation: bind?.propagation,
            CreateMountpoint: bind?.create_host_path,
            NonRecursive: bind?.recursive === "disabled" ? true : undefined,
            ReadOnlyNonRecursive: bind?.recursive === "writable" ? true : undefined,
            ReadOnlyForceRecursive: bind?.recursive === "readonly" ? true : undefined,
          }),
    VolumeOptions:
      type !== "volume" || volume === undefined
        ? undefined
        : given<NonNullable<Mount["VolumeOptions"]>>({
            NoCopy: volume.nocopy,
            Subpath: volume.subpath,
            Labels: volume.labels === undefined ? undefined : { ...volume.labels },
          }),
    TmpfsOptions:
      type !== "tmpfs" || tmpfs === undefined
        ? undefined
        : given<NonNullable<Mount["TmpfsOptions"]>>({
            SizeBytes: tmpfs.size === undefined ? undefined : Number(tmpfs.size),
            Mode: tmpfs.mode,
          }),
    ImageOptions:
      type !== "image" || image === undefined
        ? undefined
        : given<NonNullable<Mount["ImageOptions"]>>({ Subpath: image.subpath }),
  })
}

export type MountedFile = {
  readonly target: string
  readonly from: ProjectFile
  readonly mount: FileMount
  readonly kind: "secret" | "config"
}

/** Secrets and configs, with where they appear in the container. */
export function filesOf(project: Project, service: Service): MountedFile[] {
  const absolute = (target: string | undefined, folder: string, source: string): string =>
    target === undefined ? `${folder}${source}` : target.startsWith("/") ? target : `${folder}${target}`
  const found: MountedFile[] = [
    ...(service.secrets ?? []).map(
      (mount): MountedFile => ({
        kind: "secret",
        target: absolute(mount.target, "/run/secrets/", mount.source),
        from: project.secrets[mount.source]!,
        mount,
      }),
    ),
    ...(service.configs ?? []).map(
      (mount): MountedFile => ({
        kind: "config",
        target: absolute(mount.target, "/", mount.source),
        from: project.configs[mount.source]!,
        mount,
      }),
    ),
  ]
  for (const { from, kind } of found) {
    if (from.external === true) throw new DhowError("invalid", `unsupported external ${kind} ${from.name}`)
    if (from.driver !== undefined || from.template_driver !== undefined)
      throw new DhowError(
        "invalid",
        `The ${kind} "${from.name}" has a driver, which an engine without a swarm does not`,
      )
  }
  return found
}
