// What follows an exit: the row says so, whoever waits is answered, and only then is the run torn down. The restart
// policy and --rm are decided here and nowhere else.
import { crashpoint } from "../../lib/crashpoint.ts"
import { describeError } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"
import { timestamp } from "../../lib/time.ts"
import type { ExitRecord, Monitor } from "../../supervisor/contract.ts"
import { attributesOf } from "./attributes.ts"
import { erase } from "./erase.ts"
import type { Live } from "./live.ts"
import type { ContainerParts } from "./parts.ts"
import { type ContainerRecord, type ContainerState, historyOf, isRunning } from "./record.ts"
import { tearDown } from "./teardown.ts"

const FIRST_DELAY = 100
const LONGEST_DELAY = 60_000
/** A run that lasted this long was a good one: the next restart comes at once. */
const GOOD_RUN = 10_000

/** Follows a running process to its end. */
export function watchExit(parts: ContainerParts, id: string, monitor: Monitor): void {
  monitor.exited
    .then((exit) => parts.locks.hold(id, () => recordExit(parts, id, exit)))
    .catch((error) => log.error("An exit could not be recorded", { container: id, error: describeError(error) }))
}

/** Under the lock. Also called by reconciliation for what ended while the engine was away. */
export async function recordExit(parts: ContainerParts, id: string, exit: ExitRecord): Promise<void> {
  const container = parts.store.find(id)
  if (container === undefined || !isRunning(container.state)) return
  const { record, state } = container
  const live = parts.live.of(id)
  const finishedAt = timestamp(exit.finishedAt.getTime())
  const history = { ...historyOf(state), exitCode: exit.exitCode, oomKilled: exit.oomKilled, finishedAt, error: "" }
  const restarts = shouldRestart(record, history, live)
  if (exit.oomKilled) parts.events.emit("container", "oom", id, attributesOf(record))
  crashpoint("container.exit:before-row")
  parts.store.observe(id, { ...history, status: restarts ? "restarting" : "exited" })
  crashpoint("container.exit:after-row")
  parts.events.emit("container", "die", id, attributesOf(record, durationOf(state.startedAt, exit)))
  live.monitor = undefined
  live.clients.end()
  live.ended.resolve()
  const response = { StatusCode: exit.exitCode }
  live.answer(response, restarts ? ["next-exit"] : ["next-exit", "not-running"])
  if (record.hostConfig.AutoRemove && !restarts && !live.isRestarting) {
    // The row goes before the teardown: "removed" is answered now, and the files are garbage from here on.
    await erase(parts, id, { volumes: true })
    return
  }
  live.teardown = tearDown(parts, record)
  await live.teardown
  if (restarts) scheduleRestart(parts, id, runTime(state.startedAt, exit))
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
  live.restartDelay =
    lasted > GOOD_RUN || live.restartDelay === 0 ? FIRST_DELAY : Math.min(live.restartDelay * 2, LONGEST_DELAY)
  const timer = setTimeout(() => restartNow(parts, id), live.restartDelay)
  live.restart = { timer }
}

/** A restart by policy: counted, and given up where the container cannot be started at all. */
export async function restartNow(parts: ContainerParts, id: string): Promise<void> {
  const container = parts.store.find(id)
  if (container === undefined || container.state.status !== "restarting") return
  const history = historyOf(container.state)
  parts.store.observe(id, { ...history, restartCount: history.restartCount + 1, status: "restarting" })
  try {
    await parts.start(id)
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
