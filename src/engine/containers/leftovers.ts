// What a removal could not take away: processes that hang in the kernel, with their cgroup and monitor. The container is
// gone all the same; a file under the exec root names what stayed until a sweep finds it gone. Nobody waits for it.
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describeError } from "../../lib/errors.ts"
import { ensureDirectory, unlinkIfExists, writeDurably } from "../../lib/files.ts"
import { log } from "../../lib/log.ts"
import type { ContainerParts } from "./parts.ts"
import { cgroupsPathOf } from "./paths.ts"
import type { ContainerRecord } from "./record.ts"
import { runtimeOf } from "./runtime.ts"
import { describeProcess } from "./stuck.ts"

const SWEEP_AGAIN_MS = 5000
const CONTAINER_ID = /^[0-9a-f]{64}$/

type Leftover = {
  readonly id: string
  readonly name: string
  readonly runtime: string
  readonly cgroupsPath: string
}

const timers = new WeakMap<ContainerParts, NodeJS.Timeout>()

/** Before the container's row goes: notes what will be left of it. */
export function leaveBehind(parts: ContainerParts, record: ContainerRecord, what: string): void {
  const { id, name } = record
  const leftover: Leftover = {
    id,
    name,
    runtime: runtimeOf(parts, record).name,
    cgroupsPath: cgroupsPathOf(parts.config, record),
  }
  ensureDirectory(directoryOf(parts), 0o700)
  writeDurably(join(directoryOf(parts), id), JSON.stringify(leftover))
  log.warn("A container is removed, and something of it stays until it lets go", { container: id, name, what })
  sweepLater(parts)
}

/** Takes away what has let go meanwhile; asks again later where something has not. */
export async function sweepLeftovers(parts: ContainerParts): Promise<void> {
  for (const id of leftovers(parts)) {
    try {
      await sweepOne(parts, JSON.parse(readFileSync(join(directoryOf(parts), id), "utf8")) as Leftover)
    } catch (error) {
      log.debug("Something of a removed container is still there", { container: id, error: describeError(error) })
    }
  }
  if (leftovers(parts).length > 0) sweepLater(parts)
}

async function sweepOne(
  parts: ContainerParts,
  { id, name, runtime: runtimeName, cgroupsPath }: Leftover,
): Promise<void> {
  const runtime = parts.runtime(runtimeName)
  const alive = (await runtime.processes(id)).flatMap(describeProcess)
  if (alive.length > 0) return
  await runtime.delete(id, cgroupsPath)
  parts.supervisor.forget(id)
  unlinkIfExists(join(directoryOf(parts), id))
  log.info("What a removed container had left is gone now", { container: id, name })
}

function sweepLater(parts: ContainerParts): void {
  clearTimeout(timers.get(parts))
  const timer = setTimeout(() => parts.background.add(sweepLeftovers(parts)), SWEEP_AGAIN_MS)
  timer.unref()
  timers.set(parts, timer)
}

function leftovers(parts: ContainerParts): string[] {
  const directory = directoryOf(parts)
  return existsSync(directory) ? readdirSync(directory).filter((name) => CONTAINER_ID.test(name)) : []
}

function directoryOf(parts: ContainerParts): string {
  return join(parts.config.execRoot, "leftovers")
}
