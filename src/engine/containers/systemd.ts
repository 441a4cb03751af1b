// systemd as a container's first process: it needs cgroups of its own to write to, tmpfs where it keeps what runs, a word
// that it is in a container, and another stop signal. It is known by what the program is, not by its name: busybox has an
// /sbin/init too.
import { closeSync, constants, readlinkSync } from "node:fs"
import { join, posix } from "node:path"
import { openInRoot } from "../../lib/syscalls/open-in-root.ts"
import type { RuntimeMount } from "../../oci/runtime-spec.ts"
import type { NamespaceChoice, SpecInput } from "../../runtime/spec-input.ts"
import type { HostConfig } from "../../wire/container.ts"
import { commandOf } from "./merge-config.ts"
import type { ContainerParts } from "./parts.ts"
import { cgroupsPathOf } from "./paths.ts"
import type { ContainerRecord, ContainerState } from "./record.ts"
import { pidOf } from "./status.ts"

export type SystemdMode = "auto" | "always" | "never"
/** Halt, as systemd(1) says. */
const STOP_SIGNAL = "SIGRTMIN+3"
/** The hierarchy of v1 that has no controller: whoever may write to it cannot lift a limit. */
const NAMED = "name=systemd"
const CGROUPS = "/sys/fs/cgroup"
/** What systemd takes /run to be; without exec, as programs of units' runtime directories would not start. */
const TMPFS: Readonly<Record<string, string>> = {
  "/run": "exec,mode=755",
  "/run/lock": "mode=755,size=5m",
}
const TMPFS_OF_READONLY: Readonly<Record<string, string>> = { "/tmp": "exec,mode=1777", "/var/log/journal": "mode=755" }

type Payload = Pick<SpecInput, "config" | "hostConfig"> & {
  readonly mounts: readonly RuntimeMount[]
  readonly cgroup: NamespaceChoice | undefined
}

/** What the container is started with: what was asked for, completed where its program is systemd. */
export function withSystemd(
  parts: Pick<ContainerParts, "config" | "host">,
  record: ContainerRecord,
  rootfs: string,
): Payload {
  const { config, hostConfig, mounts } = record
  const asked = { config, hostConfig, mounts: [], cgroup: undefined }
  if (!isSystemd(record, rootfs)) return asked
  const taken = [...mounts.map(({ Destination }) => Destination), ...Object.keys(hostConfig.Tmpfs ?? {})]
  const places = { ...TMPFS, ...(hostConfig.ReadonlyRootfs === true ? TMPFS_OF_READONLY : {}) }
  const added = Object.entries(places).filter(([place]) => !taken.includes(place))
  const completed: HostConfig = { ...hostConfig, Tmpfs: { ...Object.fromEntries(added), ...hostConfig.Tmpfs } }
  const variables = { container: "oci", container_uuid: uuidOf(record.id) }
  const named = new Set((config.Env ?? []).map((entry) => entry.split("=", 1)[0]))
  const Env = [
    ...(config.Env ?? []),
    ...Object.entries(variables).flatMap(([name, value]) => (named.has(name) ? [] : [`${name}=${value}`])),
  ]
  const payload = { ...asked, config: { ...config, Env }, hostConfig: completed }
  // Whoever mounts cgroups by hand has a recipe that works, and is left to it.
  if (taken.some((place) => place === CGROUPS || place.startsWith(`${CGROUPS}/`))) return payload
  const { cgroup } = parts.host
  if (cgroup.mode === "v2") {
    // Limits lie on the container's own group, which the kernel delegates with its namespace.
    const SecurityOpt = ["writable-cgroups=true", ...(hostConfig.SecurityOpt ?? [])]
    return { ...payload, hostConfig: { ...completed, SecurityOpt }, cgroup: "private" }
  }
  const hierarchy = cgroup.hierarchies.get(NAMED)
  if (hierarchy === undefined) return payload
  const own: RuntimeMount = {
    destination: join(CGROUPS, "systemd"),
    type: "bind",
    source: join(hierarchy, cgroupsPathOf(parts.config, record)),
    options: ["bind", "rw", "nosuid", "noexec", "nodev"],
  }
  return { ...payload, mounts: [own], cgroup: "private" }
}

/** What ends the container's program when nobody says another signal. */
export function stopSignalOf(record: ContainerRecord, state: ContainerState): string {
  if (record.config.StopSignal) return record.config.StopSignal
  if (record.systemd === "never") return "SIGTERM"
  return record.systemd === "always" || runsSystemd(pidOf(state)) ? STOP_SIGNAL : "SIGTERM"
}

function isSystemd(record: ContainerRecord, rootfs: string): boolean {
  const { systemd = "auto", hostConfig } = record
  if (systemd !== "auto") return systemd === "always"
  const { path } = commandOf(record.config)
  const name = posix.basename(path)
  if (hostConfig.Init === true || hostConfig.PidMode || (name !== "init" && name !== "systemd")) return false
  return path.startsWith("/") && isSystemdProgram(realPath(rootfs, path))
}

/** Where a path of the container leads, links followed inside its root; undefined where to nothing. */
function realPath(rootfs: string, path: string): string | undefined {
  const O_PATH = 0o10000000
  let descriptor: number
  try {
    descriptor = openInRoot(rootfs, path, constants.O_RDONLY | O_PATH)
  } catch {
    return undefined
  }
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`)
  } finally {
    closeSync(descriptor)
  }
}

function runsSystemd(pid: number): boolean {
  try {
    return pid > 0 && isSystemdProgram(readlinkSync(`/proc/${pid}/exe`))
  } catch {
    // It has ended meanwhile.
    return false
  }
}

function isSystemdProgram(path: string | undefined): boolean {
  return path?.endsWith("/lib/systemd/systemd") === true
}

/** systemd makes it the machine's id where the image has none. */
function uuidOf(id: string): string {
  return id.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")
}
