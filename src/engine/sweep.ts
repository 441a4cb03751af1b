// At boot: what no row names is garbage of a crash and goes. What belongs to an unreadable row stays, and what cannot be
// swept now is swept another time: garbage must not keep the engine from serving.
import { existsSync, readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { describeError } from "../lib/errors.ts"
import { log } from "../lib/log.ts"
import { ownerOfSnapshot } from "./containers/image-mounts.ts"
import { sweepLeftovers } from "./containers/leftovers.ts"
import type { ContainerParts } from "./containers/parts.ts"
import { containerPaths } from "./containers/paths.ts"
import { isRunning } from "./containers/record.ts"
import { removeBundle } from "./containers/teardown.ts"
import { sweepVolumes } from "./volumes/sweep.ts"

const CONTAINER_ID = /^[0-9a-f]{64}$/

export async function sweep(parts: ContainerParts): Promise<void> {
  const alive = new Set([
    ...parts.store.all().flatMap(({ record, state }) => (isRunning(state) ? [record.id] : [])),
    ...parts.store.unreadable().map(({ id }) => id),
  ])
  await attempt("bundles", () => sweepBundles(parts))
  await attempt("states of containers", () => sweepStates(parts))
  await attempt("execs", () => sweepExecs(parts))
  await attempt("what removed containers left", () => sweepLeftovers(parts))
  await attempt("exit files", () => parts.supervisor.sweep(alive))
  await attempt("networks", () => parts.networks.sweep(alive))
  await attempt("snapshots", () => parts.snapshotter.sweep())
  await attempt("mounted layers", () => parts.uppers.sweep())
  await attempt("files mounted for copies", () => parts.copies.sweep())
  await attempt("volumes", () => sweepVolumes(parts.volumes))
}

async function attempt(what: string, step: () => unknown): Promise<void> {
  try {
    await step()
  } catch (error) {
    log.error("Garbage could not be swept", { what, error: describeError(error) })
  }
}

/** Bundles that no row names: the process is ended, what is mounted is unmounted. */
async function sweepBundles(parts: ContainerParts): Promise<void> {
  for (const id of entries(join(parts.config.execRoot, "containers")))
    if (CONTAINER_ID.test(id) && !parts.store.exists(id)) await attempt(`bundle ${id}`, () => sweepBundle(parts, id))
}

async function sweepBundle(parts: ContainerParts, id: string): Promise<void> {
  const paths = containerPaths(parts.config, id)
  // A monitor that still lives is known from here on, and with it the exit file that it will write.
  await parts.supervisor.adopt({ id, bundle: paths.bundle, pid: 0 })
  const cgroup = join("/", parts.config.cgroupParent, id)
  for (const name of parts.runtimeNames())
    await attempt(`state of ${id} in ${name}`, () => parts.runtime(name).delete(id, cgroup))
  await parts.networks.release(id)
  parts.supervisor.forget(id)
  removeBundle(paths)
  await parts.snapshotter.remove(id)
}

/** State directories and snapshots that no row names. */
async function sweepStates(parts: ContainerParts): Promise<void> {
  for (const key of parts.snapshotter.keys()) {
    // Other owners of snapshots, builds among them, choose other keys.
    const owner = ownerOfSnapshot(key)
    if (owner !== undefined && !parts.store.exists(owner)) await parts.snapshotter.remove(key)
  }
  const directory = join(parts.config.dataRoot, "containers")
  for (const id of entries(directory))
    if (CONTAINER_ID.test(id) && !parts.store.exists(id)) rmSync(join(directory, id), { recursive: true, force: true })
}

/** Nobody can ask for the execs of an earlier engine any more: those that run are left to run, then their bundles go. */
async function sweepExecs(parts: ContainerParts): Promise<void> {
  const directory = join(parts.config.execRoot, "execs")
  for (const id of entries(directory)) {
    const bundle = join(directory, id)
    const clear = (): void => {
      parts.supervisor.forget(id)
      rmSync(bundle, { recursive: true, force: true })
    }
    await attempt(`exec ${id}`, async () => {
      const found = await parts.supervisor.adopt({ id, bundle, pid: 0 })
      if (found === "lost" || "exitCode" in found) clear()
      else void found.exited.then(() => attempt(`exec ${id}`, clear))
    })
  }
}

function entries(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : []
}
