// At boot: rows against reality. Transitions under way are finished or undone, what runs is adopted, what ended meanwhile
// is recorded, and what no row names is swept (sweep.ts).
import { existsSync } from "node:fs"
import { describeError } from "../lib/errors.ts"
import { log } from "../lib/log.ts"
import { now } from "../lib/time.ts"
import { erase } from "./containers/erase.ts"
import { recordExit, restartNow, watchExit } from "./containers/exits.ts"
import { feedLog, feedRest } from "./containers/feed-log.ts"
import { freshHealth } from "./containers/health.ts"
import { beginHealthChecks } from "./containers/health-checks.ts"
import { tellParents } from "./containers/links.ts"
import { logOf } from "./containers/log-settings.ts"
import { readNetworkRecord } from "./containers/network.ts"
import type { ContainerParts } from "./containers/parts.ts"
import { containerPaths } from "./containers/paths.ts"
import { type Container, type ContainerState, freshRun, isRunning, NEVER } from "./containers/record.ts"
import { runtimeOf } from "./containers/runtime.ts"
import { startContainer } from "./containers/start.ts"
import { tearDown } from "./containers/teardown.ts"
import { armTimeLimit } from "./containers/time-limit.ts"
import { resumeRestart, resumeStop } from "./containers/unfinished-stop.ts"
import { finishReport } from "./exits/detail.ts"
import { sweep } from "./sweep.ts"

/** Exit code of a process whose end nobody saw: its monitor is gone without a record. */
const LOST_EXIT_CODE = 255

/** Few engines die in the middle of an update. */
const settling = () => import("./containers/update/settle.ts")

/** Makes rows and reality agree; returns once the API may be served. */
export async function reconcile(parts: ContainerParts): Promise<void> {
  for (const container of parts.store.all()) {
    try {
      await reconcileContainer(parts, container)
    } catch (error) {
      // One container's trouble must not keep the engine from serving the others.
      log.error("A container could not be reconciled", { container: container.record.id, error: describeError(error) })
    }
  }
  await sweep(parts)
}

/** The restarts that are due, behind the caller's back: policies at boot, and those that an earlier engine put off. */
export function resumeRestarts(parts: ContainerParts): void {
  parts.booted.resolve()
  for (const { record, state, intent } of parts.store.all()) {
    if (intent === "restarting" && !isRunning(state)) parts.background.add(resumeRestart(parts, record.id))
    else if (state.status === "restarting") {
      // What ended while the engine was away has its timer already.
      if (parts.live.of(record.id).restart === undefined) parts.background.add(restartNow(parts, record.id))
    } else if (!isRunning(state) && startsAtBoot(record.hostConfig.RestartPolicy?.Name, state))
      parts.background.add(startContainer(parts, record.id).then(() => undefined))
  }
}

function startsAtBoot(policy: string | undefined, state: ContainerState): boolean {
  if (state.startedAt === NEVER) return false
  if (policy === "always") return true
  return policy === "unless-stopped" && !state.stoppedByUser
}

async function reconcileContainer(parts: ContainerParts, container: Container): Promise<void> {
  const { record, state, intent } = container
  const { id } = record
  if (intent === "removing" || state.status === "removing") return await erase(parts, id, { volumes: true })
  if ((intent === "starting" || intent === "restarting") && !isRunning(state))
    return await settleStart(parts, container)
  if (isRunning(state)) return await adopt(parts, container)
  if (existsSync(containerPaths(parts.config, id).bundle)) {
    await finishReport(parts, { record, state })
    await tearDown(parts, record)
  }
  feedRest(parts, record)
  if (record.pending !== undefined) (await settling()).settleUpdateOfStopped(parts, container)
  // Its --rm was decided by the exit, and the engine died before the removal.
  if (record.hostConfig.AutoRemove && state.status !== "restarting" && state.finishedAt !== NEVER)
    await erase(parts, id, { volumes: true })
}

async function adopt(parts: ContainerParts, { record, state, intent }: Container): Promise<void> {
  if (!isRunning(state)) return
  const { id } = record
  const paths = containerPaths(parts.config, id)
  const found = await parts.supervisor.adopt({
    id,
    bundle: paths.bundle,
    pid: state.process.pid,
    ...logOf(parts, record),
  })
  if (found === "lost" || !("exited" in found)) feedRest(parts, record)
  if (found === "lost") {
    log.warn("A container's monitor is gone without a record of its end", { container: id })
    const finishedAt = new Date()
    return await recordExit(parts, id, { exitCode: LOST_EXIT_CODE, finishedAt, oomKilled: false }, "lost")
  }
  if (!("exited" in found)) return await recordExit(parts, id, found, "afterwards")
  parts.live.of(id).monitor = found
  if (intent === "freezing") await settleFreeze(parts, { record, state })
  else if (intent === "committing") await endCommit(parts, { record, state })
  else if (state.stop === undefined) parts.store.intend(id, undefined)
  if (record.pending !== undefined) await (await settling()).settleUpdate(parts, parts.store.get(id))
  feedLog(parts, record, { monitor: found })
  watchExit(parts, id, found)
  if (state.stop !== undefined) resumeStop(parts, { record }, state.stop)
  if (parts.store.get(id).state.status === "running") beginHealthChecks(parts, id, { adopted: true })
  armTimeLimit(parts, id)
  log.info("Adopted a running container", { container: id, name: record.name })
}

/** The engine died while it made an image of the container, which was paused for that alone. */
async function endCommit(parts: ContainerParts, { record, state }: Pick<Container, "record" | "state">): Promise<void> {
  if (!isRunning(state)) return
  await runtimeOf(parts, record).resume(record.id)
  parts.store.observe(record.id, { ...state, status: "running" })
}

/** The engine died while it paused the container or let it go on: the row follows what is. */
async function settleFreeze(
  parts: ContainerParts,
  { record, state }: Pick<Container, "record" | "state">,
): Promise<void> {
  if (!isRunning(state)) return
  const runtime = runtimeOf(parts, record)
  const known = await runtime.state(record.id)
  parts.store.observe(record.id, { ...state, status: known?.status === "paused" ? "paused" : "running" })
}

/**
 * The engine died between the first and the last step of a start. Where the process was let go it runs, and the row
 * follows; where it was not, the start never happened.
 */
async function settleStart(parts: ContainerParts, { record, state, intent }: Container): Promise<void> {
  const { id, hostConfig } = record
  const paths = containerPaths(parts.config, id)
  const runtime = runtimeOf(parts, record)
  // The monitor first: a creation may still be going on, and it is waited for.
  const found = await parts.supervisor.adopt({ id, bundle: paths.bundle, pid: 0, ...logOf(parts, record) })
  const known = await runtime.state(id)
  const wasReleased =
    found !== "lost" && (!("exited" in found) || known?.status === "running" || known?.status === "paused")
  if (!wasReleased) {
    await finishReport(parts, { record, state })
    await tearDown(parts, record)
    if (intent === "restarting") return
    parts.store.intend(id, undefined)
    log.info("Undid a start that an earlier engine did not finish", { container: id, name: record.name })
    if (hostConfig.AutoRemove && state.status !== "restarting") await erase(parts, id, { volumes: true })
    return
  }
  const pid = "exited" in found ? found.pid : 0
  const process = { pid, ...readNetworkRecord(paths) }
  const restartCount = state.status === "restarting" ? state.restartCount + 1 : 0
  const history = { ...freshRun(state), startedAt: now(), restartCount, stoppedByUser: false }
  parts.store.observe(id, { ...history, status: "running", ...freshHealth(record.config), process })
  if (!("exited" in found)) {
    feedRest(parts, record)
    return await recordExit(parts, id, found, "afterwards")
  }
  parts.live.of(id).monitor = found
  tellParents(parts, id, process.endpoints["bridge"])
  feedLog(parts, record, { monitor: found })
  watchExit(parts, id, found)
  beginHealthChecks(parts, id)
  armTimeLimit(parts, id)
}
