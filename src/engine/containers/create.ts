// Create: image, volumes and snapshot first, the row last. From the row on the container exists.
import { mkdirSync, rmSync } from "node:fs"
import { hostname } from "node:os"
import { answering } from "../../lib/answering.ts"
import { crashpoint } from "../../lib/crashpoint.ts"
import { DhowError, isKind } from "../../lib/errors.ts"
import { now } from "../../lib/time.ts"
import { Undo } from "../../lib/undo.ts"
import type { Digest } from "../../oci/digest.ts"
import { MEDIA_TYPE } from "../../oci/manifest.ts"
import { formatPlatform, hostPlatform, samePlatform } from "../../oci/platform.ts"
import { normalizeCapabilities } from "../../runtime/capabilities.ts"
import { CONTAINERD_RUNTIME } from "../../runtime/runtimes.ts"
import { parseSeccomp } from "../../runtime/seccomp.ts"
import { parseSecurityOptions } from "../../runtime/security-options.ts"
import type { HostConfig } from "../../wire/container.ts"
import type { Containers } from "../contract.ts"
import type { PreparedVolume } from "../volumes/volumes.ts"
import { attributesOf } from "./attributes.ts"
import { checkCreate } from "./create-checks.ts"
import { checkHealthcheck, checkOf } from "./health.ts"
import { completeHostConfig, type HostConfigFacts } from "./host-config.ts"
import { hostUser } from "./host-user.ts"
import { imageMountKey } from "./image-mounts.ts"
import { isInit } from "./init.ts"
import { resolveLinks } from "./links.ts"
import { logDefaults } from "./log-settings.ts"
import { commandOf, mergeConfig } from "./merge-config.ts"
import { resolveMounts } from "./mounts.ts"
import { newId, newName, parseName } from "./names.ts"
import { donorOf } from "./namespaces.ts"
import { checkNetworkMode } from "./network.ts"
import type { ContainerParts } from "./parts.ts"
import { containerPaths } from "./paths.ts"
import { type ContainerRecord, NEW_STATE } from "./record.ts"
import { resolveRequirements } from "./requirements.ts"
import { parseSignal } from "./signals.ts"
import { nameConflict } from "./store.ts"

export type CreateOptions = Parameters<Containers["create"]>[0]

export async function createContainer(
  parts: ContainerParts,
  options: CreateOptions,
): Promise<{ Id: string; Warnings: string[] }> {
  const { store, config, snapshotter } = parts
  parts.refreshConfig()
  const name = options.name ? parseName(options.name) : newName((taken) => store.idOfName(taken) !== undefined)
  const holder = store.idOfName(name)
  if (holder !== undefined) throw nameConflict(name, holder)

  const reference = options.config.Image ?? ""
  if (reference === "") throw new DhowError("invalid", "no command specified")
  const image = parts.resolveImage(
    reference,
    options.platform,
    options.compatible === true ? { compatible: true } : undefined,
  )
  checkHealthcheck(options.config.Healthcheck)
  const host = hostUser(options.config.User, options.caller)
  const asked =
    host === undefined
      ? options
      : {
          config: { ...options.config, User: host.User },
          hostConfig: {
            ...options.hostConfig,
            GroupAdd: [...(options.hostConfig.GroupAdd ?? []), ...host.GroupAdd],
          },
        }
  const { hostConfig, warnings } = completeHostConfig(asked.hostConfig, hostConfigFacts(parts))
  checkSecurity(parts, hostConfig)
  checkCreate(options.config, hostConfig, options.networkingConfig)
  inRequest(() => {
    checkNetworkMode(parts, hostConfig.NetworkMode ?? "bridge")
    nameDonorsById(parts, hostConfig)
    resolveLinks(parts.store, hostConfig)
    if (hostConfig.Requires) hostConfig.Requires = resolveRequirements(parts.store, hostConfig.Requires)
  })
  if (options.platform === undefined && !samePlatform(image.platform, hostPlatform()))
    warnings.push(
      `The requested image's platform (${formatPlatform(image.platform)}) does not match the detected host platform (${formatPlatform(hostPlatform())}) and no specific platform was requested`,
    )

  if (options.config.StopSignal) parseSignal(options.config.StopSignal)
  const merged = mergeConfig(asked.config, image.config.config ?? {})
  if (hostConfig.HealthAction && hostConfig.HealthAction !== "none" && checkOf(merged) === undefined)
    warnings.push("The health action is of no effect: the container has no health check")
  const id = newId()
  const ownProcesses = !hostConfig.PidMode
  if (options.systemd === "always" && options.hostConfig.Init)
    throw new DhowError("invalid", "conflicting options: an init process and systemd, which is one")
  if (options.init === "auto" && hostConfig.Init === null)
    hostConfig.Init = options.systemd !== "always" && ownProcesses && !isInit(commandOf(merged).path)
  if (options.hostConfig.Init && !ownProcesses)
    warnings.push("The init process is left out: the PID namespace that is joined has one")
  if (hostConfig.Init && parts.initPath === undefined) {
    if (options.init !== "auto")
      throw new DhowError("unavailable", "Cannot give the container an init process: catatonit is not installed", {
        hint: "Install the Debian package catatonit",
      })
    hostConfig.Init = false
  }
  await answering((hostConfig.Mounts ?? []).flatMap(({ Type, Source }) => (Type === "bind" && Source ? [Source] : [])))
  await using undo = new Undo(`creation of container "${name}"`)
  const volumes: PreparedVolume[] = []
  const prepared = (volume: PreparedVolume): void => {
    volumes.push(volume)
    undo.defer(volume.undo)
  }
  const record: ContainerRecord = {
    id,
    name,
    created: now(),
    image: reference,
    imageId: image.id,
    manifest: { mediaType: MEDIA_TYPE.ociManifest, digest: image.manifest, size: 0 },
    platform: image.platform,
    layers: image.layers,
    config: { ...merged, Hostname: merged.Hostname || defaultHostname(hostConfig, id), Image: reference },
    hostConfig,
    networkingConfig: options.networkingConfig,
    cgroupParent: config.cgroupParent,
    ...(options.systemd === undefined ? {} : { systemd: options.systemd }),
    mounts: inRequest(() =>
      resolveMounts(merged, hostConfig, {
        ...mountSources(parts, prepared),
        readOnlyNonRecursive: options.readOnlyNonRecursive === true,
        ...(options.caller === undefined ? {} : { caller: options.caller }),
      }),
    ),
  }

  const paths = containerPaths(config, id)
  mkdirSync(paths.state, { recursive: true, mode: 0o710 })
  undo.defer(() => rmSync(paths.state, { recursive: true, force: true }))
  crashpoint("container.create:before-snapshot")
  const keep = (key: string, layers: readonly Digest[]): void => {
    snapshotter.prepare(key, layers)
    undo.defer(() => snapshotter.remove(key))
  }
  keep(id, image.layers)
  const { WorkingDir: cwd } = merged
  if (cwd && cwd !== "/") await parts.copies.makeDirectory(id, image.layers, cwd)
  for (const [place, mount] of record.mounts.entries())
    if (mount.image !== undefined) keep(imageMountKey(id, place), parts.resolveImage(mount.image).layers)
  crashpoint("container.create:before-row")
  store.insert(record, NEW_STATE, () => {
    for (const volume of volumes) volume.commit()
  })
  undo.forget()
  parts.imageUsed(image.id)
  parts.events.emit("container", "create", id, attributesOf(record))
  return { Id: id, Warnings: warnings }
}

export function mountSources(parts: ContainerParts, prepared: (volume: PreparedVolume) => void) {
  const { volumes, store, config } = parts
  const image = (reference: string): Digest => parts.resolveImage(reference).id
  return { volumes, store, image, prepared, roots: [config.dataRoot, config.execRoot] }
}

export function checkSecurity({ host }: ContainerParts, hostConfig: HostConfig): void {
  const { seccomp } = parseSecurityOptions(hostConfig.SecurityOpt)
  if (!["", "unconfined", "builtin"].includes(seccomp)) parseSeccomp(seccomp, [], host)
  for (const key of ["CapAdd", "CapDrop"] as const) {
    try {
      normalizeCapabilities(hostConfig[key] ?? [], host)
    } catch (cause) {
      throw new DhowError("invalid", `invalid ${key}`, { cause })
    }
  }
}

/** So that a rename of the other container does not part the two. A network may be joined that is not there yet. */
export function nameDonorsById({ store }: ContainerParts, hostConfig: HostConfig): void {
  for (const key of ["NetworkMode", "PidMode", "IpcMode"] as const) {
    const donor = donorOf(hostConfig[key] ?? "")
    if (donor === undefined) continue
    const id = key === "NetworkMode" ? inStore(store, donor) : store.resolve(donor).record.id
    if (id !== undefined) hostConfig[key] = `container:${id}`
  }
}

function inStore(store: ContainerParts["store"], reference: string): string | undefined {
  try {
    return store.resolve(reference).record.id
  } catch (error) {
    if (isKind(error, "not-found")) return undefined
    throw error
  }
}

/** Only a missing image may be "not found" here: a client answers that by pulling it. */
export function inRequest<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (isKind(error, "not-found")) throw new DhowError("invalid", error.message, { cause: error.cause })
    throw error
  }
}

export function hostConfigFacts(parts: ContainerParts): HostConfigFacts {
  return {
    defaultRuntime: parts.config.defaultRuntime,
    // The default one is always known; where it is not installed, the start says what to install.
    knownRuntimes: [...parts.runtimeNames(), parts.config.defaultRuntime, CONTAINERD_RUNTIME],
    host: parts.host,
    init: parts.config.init,
    log: logDefaults(parts.config),
    defaults: {
      shmSize: parts.config.defaultShmSize,
      ipcMode: parts.config.defaultIpcMode,
      cgroupnsMode: parts.config.defaultCgroupnsMode,
    },
  }
}

export function defaultHostname(hostConfig: HostConfig, id: string): string {
  if (hostConfig.NetworkMode === "host") return hostname()
  return hostConfig.UTSMode === "host" || hostConfig.NetworkMode?.startsWith("container:") ? "" : id.slice(0, 12)
}
