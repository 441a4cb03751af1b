// A container's log on its way to its driver: what start, adoption, exit and removal ask of the forwarders. Containers whose
// log stays in the engine's own file pay one comparison.
import { existsSync } from "node:fs"
import { DhowError, hintOf } from "../../lib/errors.ts"
import { unlinkIfExists } from "../../lib/files.ts"
import type { Monitor } from "../../supervisor/contract.ts"
import type { Forwarder } from "../logging/forwarder.ts"
import { type Fed, notesOf } from "../logging/forwarders.ts"
import type { LogInfo } from "../logging/info.ts"
import { FED_DRIVERS } from "../logging/open-driver.ts"
import { logOf } from "./log-settings.ts"
import { commandOf } from "./merge-config.ts"
import type { ContainerParts } from "./parts.ts"
import { containerPaths } from "./paths.ts"
import type { ContainerRecord } from "./record.ts"

/** Before the launch: what cannot be connected to fails the start, as in Docker. */
export async function prepareLog(parts: ContainerParts, record: ContainerRecord): Promise<Forwarder | undefined> {
  const fed = fedOf(parts, record)
  if (fed === undefined) return undefined
  try {
    return await parts.forwarders.prepare(fed)
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new DhowError(
      "internal",
      `failed to create task for container: failed to initialize logging driver: ${message}`,
      hintOf(cause) === undefined ? {} : { hint: hintOf(cause)! },
    )
  }
}

/** From the start or adoption on, until the end of what the process writes. */
export function feedLog(
  parts: ContainerParts,
  record: ContainerRecord,
  run: { monitor: Monitor; prepared?: Forwarder | undefined },
): void {
  const fed = fedOf(parts, record)
  if (fed === undefined) return
  const { monitor, prepared } = run
  parts.forwarders.feed(fed, { ended: monitor.exited, ...(prepared === undefined ? {} : { prepared }) })
}

/** At boot, for what does not run any more: lines that an earlier engine did not get out. */
export function feedRest(parts: ContainerParts, record: ContainerRecord): void {
  const fed = fedOf(parts, record)
  if (fed !== undefined && existsSync(fed.log)) parts.forwarders.feed(fed)
}

/**
 * The record has other log options than when the container was started: they hold from now on. Not so where a log was
 * kept and is not to be any more, or the other way round: conmon's own arguments decide that, at the next start. Throws
 * where the new receiver cannot be reached; then the old one is fed on.
 */
export async function relog(
  parts: ContainerParts,
  { before, after }: { readonly before: ContainerRecord; readonly after: ContainerRecord },
): Promise<"live" | "on restart"> {
  const monitor = parts.live.find(after.id)?.monitor
  const [from, to] = [logOf(parts, before), logOf(parts, after)]
  if (monitor === undefined || from.logPath === undefined || to.logPath === undefined) return "on restart"
  const prepared = await prepareLog(parts, after)
  await parts.forwarders.stop(after.id)
  const notes = notesOf(containerPaths(parts.config, after.id).state)
  if (prepared === undefined) unlinkIfExists(notes)
  else if (before.hostConfig.LogConfig?.Type !== after.hostConfig.LogConfig?.Type) prepared.takeOver()
  monitor.boundLog(to.logRotation)
  feedLog(parts, after, { monitor, prepared })
  return "live"
}

function fedOf(parts: ContainerParts, record: ContainerRecord): Fed | undefined {
  const type = record.hostConfig.LogConfig?.Type ?? ""
  if (!FED_DRIVERS.has(type)) return undefined
  const paths = containerPaths(parts.config, record.id)
  const { maxSize = 0, maxFile = 1 } = logOf(parts, record).logRotation ?? {}
  return {
    type,
    log: paths.log,
    jsonLog: paths.jsonLog,
    state: paths.state,
    kept: maxSize * Math.max(1, maxFile),
    hold: () => holdUp(parts, record.id),
    info: logInfoOf(record),
  }
}

/** What a driver is told of its container. */
export function logInfoOf(record: ContainerRecord): LogInfo {
  const { path, args } = commandOf(record.config)
  return {
    options: record.hostConfig.LogConfig?.Config ?? {},
    id: record.id,
    name: record.name,
    path,
    args,
    imageId: record.imageId,
    imageName: record.config.Image ?? record.image,
    created: record.created,
    env: record.config.Env ?? [],
    labels: record.config.Labels ?? {},
  }
}

/** A listener that takes nothing: conmon waits for it, and the process for conmon. */
async function holdUp(parts: ContainerParts, id: string): Promise<() => void> {
  const released = Promise.withResolvers<void>()
  const streams = await parts.live.find(id)?.monitor?.streams()
  const leave = streams?.listen({ data: () => false, drained: () => released.promise, end: () => {} })
  return () => {
    released.resolve()
    leave?.()
  }
}
