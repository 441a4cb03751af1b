// Which namespaces a container gets: new ones, the host's, or those of another container, which must be running.
import { mkdirSync } from "node:fs"
import { DhowError, isKind } from "../../lib/errors.ts"
import { mount, unmount } from "../../lib/syscalls/mount.ts"
import type { NamespaceChoice } from "../../runtime/spec-input.ts"
import type { HostConfig } from "../../wire/container.ts"
import type { ContainerParts } from "./parts.ts"
import { containerPaths } from "./paths.ts"
import { type Container, isRunning, type ProcessReference } from "./record.ts"

export type SharedNamespaces = {
  readonly pid: NamespaceChoice
  readonly ipc: NamespaceChoice
  readonly uts: NamespaceChoice
  readonly cgroup: NamespaceChoice
  /** Directory to mount at /dev/shm instead of a new tmpfs. */
  readonly shm: string | undefined
}

/** Everything but the network. Mounts a shareable /dev/shm at the container's own path when it is asked for. */
export function chooseNamespaces(parts: ContainerParts, id: string, hostConfig: HostConfig): SharedNamespaces {
  const choose = (mode: string, type: string): NamespaceChoice => {
    if (mode === "host") return "host"
    const other = donorOf(mode)
    if (other === undefined) return "private"
    return { path: `/proc/${donor(parts, other, { own: id, type }).process.pid}/ns/${type}` }
  }
  const ipcMode = hostConfig.IpcMode ?? "private"
  return {
    pid: choose(hostConfig.PidMode ?? "", "pid"),
    ipc: choose(ipcMode, "ipc"),
    uts: choose(hostConfig.UTSMode ?? "", "uts"),
    cgroup: hostConfig.CgroupnsMode === "host" ? "host" : "private",
    shm: sharedMemory(parts, id, hostConfig, ipcMode),
  }
}

function sharedMemory(parts: ContainerParts, id: string, hostConfig: HostConfig, ipcMode: string): string | undefined {
  if (ipcMode === "host") return "/dev/shm"
  const other = donorOf(ipcMode)
  if (other !== undefined) {
    const { container } = donor(parts, other, { own: id, type: "ipc" })
    if (container.record.hostConfig.IpcMode === "host") return "/dev/shm"
    if (container.record.hostConfig.IpcMode !== "shareable")
      throw new DhowError(
        "invalid",
        `failed to join IPC namespace: container ${container.record.id}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
      )
    return containerPaths(parts.config, container.record.id).shm
  }
  if (ipcMode !== "shareable") return undefined
  const { shm } = containerPaths(parts.config, id)
  mkdirSync(shm, { recursive: true })
  unmount(shm)
  mount("shm", shm, { type: "tmpfs", flags: 2 | 4 | 8, data: `mode=1777,size=${hostConfig.ShmSize}` })
  return shm
}

/** The reference in "container:REFERENCE". */
export function donorOf(mode: string): string | undefined {
  return mode.startsWith("container:") ? mode.slice("container:".length) : undefined
}

/** Another container whose namespaces `own` is to join; it must run. Docker's words and status, which differ by type. */
export function donor(
  parts: ContainerParts,
  reference: string,
  { own, type }: { readonly own: string; readonly type: string },
): { readonly container: Container; readonly process: ProcessReference } {
  const container = resolveDonor(parts, reference)
  const { record, state } = container
  if (isRunning(state)) return { container, process: state.process }
  const hint = `Start it first: dhow start ${record.name}`
  if (type !== "net")
    throw new DhowError(
      "internal",
      `failed to join ${type.toUpperCase()} namespace: container ${record.id} is not running`,
      { hint },
    )
  if (record.id === own) throw new DhowError("internal", "cannot join own network namespace")
  const reason = `container ${record.name} is ${state.status}`
  throw new DhowError("conflict", `cannot join network namespace of a non running container: ${reason}`, { hint })
}

/** At a start a container that is missing is no fault of the request. */
function resolveDonor(parts: ContainerParts, reference: string): Container {
  try {
    return parts.store.resolve(reference)
  } catch (error) {
    if (isKind(error, "not-found")) throw new DhowError("internal", error.message)
    throw error
  }
}
