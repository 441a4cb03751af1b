// What follows an exit: the row says so, whoever waits is answered, and only then is the run torn down. The restart
// policy and --rm are decided here and nowhere else.
import { crashpoint } from "../../lib/crashpoint.ts"
import { describeError } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"
import type { ExitRecord, Monitor } from "../../supervisor/contract.ts"
import type { ExitReport } from "../../wire/exit.ts"
import { describeExit } from "../exits/detail.ts"
import { reportExit } from "../exits/report.ts"
import { attributesOf } from "./attributes.ts"
import { erase } from "./erase.ts"
import { endHealthChecks, healthOf, uncheckedHealth } from "./health-checks.ts"
import type { Live } from "./live.ts"
import type { ContainerParts } from "./parts.ts"
import { type ContainerRecord, type ContainerState, historyOf, isRunning } from "./record.ts"
import { startRequirements } from "./requirements.ts"
import { nextPause } from "./restart-pause.ts"
import { tearDown } from "./teardown.ts"
import { disarmTimeLimit } from "./time-limit.ts"
import { emitGivenBack } from "./usage-events.ts"

const RECORD_AGAIN_MS = 1000

/** Follows a running process to its end. */
export function watchExit(parts: ContainerParts, id: string, monitor: Monitor): void {
  monitor.exited.then(
    (exit) => settleExit(parts, id, exit),
    (error: unknown) => log.error("The end of a container is unknown", { container: id, error: describeError(error) }),
  )
}

/** Records an exit, however long that takes: on a full disk whoever waits gets the answer once there is room again. */
async function settleExit(parts: ContainerParts, id: string, exit: ExitRecord): Promise<void> {
  for (let failures = 0; ; failures++) {
    try {
      return await parts.locks.hold(id, () => recordExit(parts, id, exit))
    } catch (error) {
      if (failures === 0)
        log.error("An exit cannot be recorded; trying again", { container: id, error: describeError(error) })
      await Bun.sleep(RECORD_AGAIN_MS)
    }
  }
}

/** Under the lock. Also called by reconciliation for what ended while the engine was away. */
export async function recordExit(
  parts: ContainerParts,
  id: string,
  exit: ExitRecord,
  seen: ExitReport["Seen"] = "at-once",
): Promise<void> {
  const container = parts.store.find(id)
  if (container === undefined) return
  const { record, state } = container
  // An earlier try came this far, and could not remove the row.
  if (!isRunning(state)) return await removeIfAuto(parts, record, state)
  const live = parts.live.of(id)
  const health = healthOf(parts, id, state)
  endHealthChecks(parts, id)
  disarmTimeLimit(parts, id)
  const ending = reportExit(parts, { record, state, exit, seen })
  const { FinishedAt: finishedAt, OOMKilled: oomKilled, Usage: usage } = ending
  const ended = { exitCode: exit.exitCode, oomKilled, finishedAt, error: "", ...(usage === undefined ? {} : { usage }) }
  const history = { ...historyOf(state), ...uncheckedHealth(state), ...ended }
  // Restarted by an update: whoever does that starts it, or the next engine.
  const recreates = record.pending?.kind === "restarting"
  const restarts = recreates || shouldRestart(record, history, live)
  const report = { ...ending, WillRestart: restarts }
  let row = 0
  if (oomKilled) parts.events.emit("container", "oom", id, attributesOf(record))
  crashpoint("container.exit:before-row")
  // The stop of a restart: the start that follows must not be forgotten, nor a container of --rm removed meanwhile.
  // Whoever began it must still be there, in this engine; what ended while none was there, the next one sees to.
  const isAwaited = live.restarting > 0 || seen !== "at-once"
  const startsAgain = !restarts && state.stop?.restarts === true && isAwaited
  const intent = startsAgain ? "restarting" : undefined
  parts.store.observe(id, { ...history, status: restarts ? "restarting" : "exited" }, intent, () => {
    row = parts.exits.add(report)
  })
  crashpoint("container.exit:after-row")
  emitGivenBack(parts, record, state)
  parts.events.emit("container", "die", id, attributesOf(record, durationOf(state.startedAt, exit)))
  live.monitor = undefined
  live.clients.end()
  live.runEnded()
  const response = { StatusCode: exit.exitCode }
  // Who waits until it does not run is answered by each exit, as in Docker, also where it is started again.
  live.answer(response, ["next-exit", "not-running"])
  if (record.hostConfig.AutoRemove && live.restarting === 0 && !startsAgain && !recreates) {
    live.teardown = describeExit(parts, record, { row, report, health })
    // The row goes before the teardown: "removed" is answered now, and the files are garbage from here on.
    await removeIfAuto(parts, record, parts.store.get(id).state)
    return
  }
  live.teardown = describeExit(parts, record, { row, report, health }).then(() => tearDown(parts, record))
  await live.teardown
  if (restarts && !recreates) scheduleRestart(parts, id, runTime(state.startedAt, exit))
}

/** --rm and a restart policy exclude each other: what goes here never starts again by itself. */
async function removeIfAuto(parts: ContainerParts, record: ContainerRecord, state: ContainerState): Promise<void> {
  if (!record.hostConfig.AutoRemove || state.status !== "exited" || parts.live.of(record.id).restarting > 0) return
  crashpoint("container.auto-remove:before-row")
  await erase(parts, record.id, { volumes: true })
}

function shouldRestart(
  record: ContainerRecord,
  history: { exitCode: number; restartCount: number; stoppedByUser: boolean },
  live: Live,
): boolean {
  const policy = record.hostConfig.RestartPolicy
  if (history.stoppedByUser || live.isStopping) return false
  switch (policy?.Name) {
    case "always":
    case "unless-stopped":
      return true
    case "on-failure": {
      const limit = policy.MaximumRetryCount ?? 0
      return history.exitCode !== 0 && (limit === 0 || history.restartCount < limit)
    }
    default:
      return false
  }
}

function scheduleRestart(parts: ContainerParts, id: string, lasted: number): void {
  const live = parts.live.of(id)
  live.restartDelay = nextPause(live.restartDelay, lasted)
  const timer = setTimeout(() => restartNow(parts, id), live.restartDelay)
  live.restart = { timer }
}

/** A restart by policy: counted, and given up where the container cannot be started at all. */
export async function restartNow(parts: ContainerParts, id: string): Promise<void> {
  await parts.booted.promise
  try {
    await startRequirements(parts, id)
  } catch (error) {
    log.warn("A restart by policy is put off: what the container requires is not there", {
      container: id,
      error: describeError(error),
    })
    if (parts.store.find(id)?.state.status === "restarting") scheduleRestart(parts, id, 0)
    return
  }
  try {
    await parts.locks.hold(id, async () => {
      const container = parts.store.find(id)
      if (container === undefined || container.state.status !== "restarting") return
      // One that an update restarts is no restart by policy.
      await parts.start(id, container.record.pending === undefined ? container.state.restartCount + 1 : 0)
    })
  } catch (error) {
    log.warn("A restart by policy failed", { container: id, error: describeError(error) })
  }
}

function runTime(startedAt: string, exit: ExitRecord): number {
  return exit.finishedAt.getTime() - Date.parse(startedAt)
}

function durationOf(startedAt: string, exit: ExitRecord): Record<string, string> {
  const seconds = Math.max(0, Math.floor(runTime(startedAt, exit) / 1000))
  return { exitCode: String(exit.exitCode), execDuration: String(seconds) }
}

/** The state after a stop that found nothing running any more. */
export function stoppedState(state: ContainerState): ContainerState {
  return { ...historyOf(state), status: "exited", stoppedByUser: true }
}
