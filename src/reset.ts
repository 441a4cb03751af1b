// `dhow internal reset [daemon's flags]`: takes everything of a state root off the machine: containers, networks, cgroups,
// mounts, and the root itself. The daemon of that root must not run. For tests and for uninstalling.
import { rmdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { openEngine } from "./daemon.ts"
import { removeContainer } from "./engine/containers/remove.ts"
import { layerMounts } from "./exec-root.ts"
import { DhowError, describeError, errnoName } from "./lib/errors.ts"
import { log } from "./lib/log.ts"
import { mountedBelow } from "./lib/mountinfo.ts"
import { unmount } from "./lib/syscalls/mount.ts"
import { cgroupDirectories } from "./runtime/cgroups.ts"
import { LiveConfig } from "./settings/live.ts"
import { sourcesOf } from "./settings/sources.ts"
import { unmountLayers } from "./snapshot/erofs.ts"

export async function reset(args: readonly string[]): Promise<number> {
  const live = new LiveConfig(sourcesOf(args, process.env))
  const config = live.view
  const { engine, parts, close } = await openEngine(live)
  parts.forwarders.close()
  for (const { record } of parts.store.all()) {
    try {
      await removeContainer(parts, record.id, { force: true, volumes: true })
    } catch (error) {
      log.error("A container could not be removed", { container: record.id, error: describeError(error) })
    }
  }
  for (const { Target } of await engine.contents.mounts()) await engine.contents.unmount(Target)
  await parts.background.idle()
  await parts.networks.close()
  for (const directory of cgroupDirectories(config.cgroupParent, parts.host.cgroup)) removeIfEmpty(directory)
  close()
  parts.uppers.sweep()
  parts.copies.sweep()
  unmountLayers(layerMounts(config))
  // Of a container that could not be removed, a user's own files may still be mounted there.
  for (const { path } of mountedBelow(config.execRoot)) unmount(path)
  letGoOf(join(config.dataRoot, "volumes"))
  rmSync(config.execRoot, { recursive: true, force: true })
  rmSync(config.dataRoot, { recursive: true, force: true })
  return 0
}

/** Behind a mount lie a user's files: where one stays, nothing is deleted. */
function letGoOf(directory: string): void {
  for (const { path } of mountedBelow(directory)) unmount(path)
  const [left] = mountedBelow(directory)
  if (left !== undefined)
    throw new DhowError("conflict", `Cannot delete "${directory}": something is still mounted at "${left.path}"`)
}

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory)
  } catch (error) {
    const name = errnoName(error)
    if (name !== "ENOENT" && name !== "EBUSY" && name !== "ENOTEMPTY") throw error
  }
}
