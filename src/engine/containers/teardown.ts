// What one run of a container held is given back: runtime state, cgroup, network, mounts, monitor, bundle.
import { existsSync, readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { crashpoint } from "../../lib/crashpoint.ts"
import { describeError } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"
import { unmountAll } from "../../lib/syscalls/mount.ts"
import { unmapAll } from "./mapped-mounts.ts"
import type { ContainerParts } from "./parts.ts"
import { type ContainerPaths, cgroupsPathOf, containerPaths } from "./paths.ts"
import type { ContainerRecord } from "./record.ts"
import { runtimeOf } from "./runtime.ts"
import { volumeNames } from "./volume-holds.ts"

/** Gives back what one run held. Goes on after a failure, and says what failed. */
export async function tearDown(
  parts: ContainerParts,
  record: ContainerRecord,
  options: { readonly stuck?: boolean | undefined } = {},
): Promise<void> {
  const { id } = record
  const paths = containerPaths(parts.config, id)
  const attempt = async (what: string, step: () => unknown): Promise<void> => {
    try {
      await step()
    } catch (error) {
      log.warn(`Cannot ${what} of a container that ended`, { container: id, error: describeError(error) })
    }
  }
  if (options.stuck !== true)
    await attempt("remove the runtime state", () =>
      runtimeOf(parts, record).delete(id, cgroupsPathOf(parts.config, record)),
    )
  crashpoint("container.teardown:after-runtime")
  await attempt("release the network", () => parts.networks.release(id))
  await attempt("forget the monitor", () => parts.supervisor.forget(id))
  await attempt("remove the bundle", () => removeBundle(paths))
  await attempt("let go of the volumes", () => parts.volumes.left(volumeNames(record.mounts)))
}

/** What cannot be unmounted is not deleted either: behind a mount lie a user's files. */
export function removeBundle({ bundle, rootfs, shm, images, mapped }: ContainerPaths): void {
  unmountAll(shm)
  unmapAll(mapped)
  if (existsSync(images)) for (const place of readdirSync(images)) unmountAll(join(images, place))
  unmountAll(rootfs)
  crashpoint("container.teardown:after-unmount")
  rmSync(bundle, { recursive: true, force: true })
}
