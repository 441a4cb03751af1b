// Runs health checks: one timer per container that has a check and runs, none for any other. A check is an exec in the
// container. Its status is in the row, where a restart of the engine finds it; results and streak are kept in memory.
import { setTimeout as sleep } from "node:timers/promises"
import { describeError } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"
import { now } from "../../lib/time.ts"
import type { InspectState } from "../../wire/container.ts"
import { attributesOf } from "./attributes.ts"
import {
  type Check,
  checkOf,
  freshHealth,
  type HealthRecord,
  type HealthResult,
  judge,
  nextInterval,
} from "./health.ts"
import { endHealthAction, followHealth } from "./health-action.ts"
import type { ContainerParts } from "./parts.ts"
import { type ContainerState, isRunning } from "./record.ts"

const RESULTS_KEPT = 5
const NO_RESULTS: HealthRecord = { failingStreak: 0, results: [] }

/**
 * From now on the container's check runs, if it has one: after a start, an unpause, or a restart of the engine, after
 * which it goes on as if nothing had been (`adopted`).
 */
export function beginHealthChecks(
  parts: ContainerParts,
  id: string,
  options: { readonly adopted?: boolean } = {},
): void {
  const { record, state } = parts.store.get(id)
  const check = checkOf(record.config)
  if (check === undefined) return
  const live = parts.live.of(id)
  live.healthChecks?.abort()
  live.healthChecks = new AbortController()
  if (!live.health.known) {
    // The first time in this engine: an earlier one may have checked it.
    live.health = { ...(parts.store.healthRecord(id) ?? NO_RESULTS), known: true }
    if (state.health === "unhealthy") live.health.failingStreak ||= check.retries
  }
  if (state.health === "starting" && !isOfThisRun(live.health.results.at(-1), state)) live.health.failingStreak = 0
  const adopted = options.adopted === true ? live.health.results.at(-1) : undefined
  const since = isOfThisRun(adopted, state) ? Date.parse(adopted.End) : Date.now()
  runChecks(parts, { id, check, signal: live.healthChecks.signal }, since).catch((error: unknown) =>
    log.error("The health of a container is not looked after any more", { container: id, error: describeError(error) }),
  )
}

function isOfThisRun(result: HealthResult | undefined, { startedAt }: ContainerState): result is HealthResult {
  return result !== undefined && Date.parse(result.Start) >= Date.parse(startedAt)
}

/** After a change of the check in the row of a container that runs: what is checked, and how often, is as it says now. */
export function changeHealthChecks(parts: ContainerParts, id: string): void {
  const { record, state, intent } = parts.store.get(id)
  endHealthChecks(parts, id)
  if (!isRunning(state)) return
  const { health: _health, ...unchecked } = state
  parts.store.observe(id, { ...unchecked, ...freshHealth(record.config) }, intent)
  parts.live.of(id).health = { failingStreak: 0, results: [], known: true }
  if (state.status === "running") beginHealthChecks(parts, id)
}

/** The container ended or is frozen: a run that is under way is given up, and its result counts for nothing. */
export function endHealthChecks(parts: ContainerParts, id: string): void {
  const live = parts.live.find(id)
  live?.healthChecks?.abort()
  if (live === undefined) return
  live.healthChecks = undefined
  endHealthAction(live.healthActions)
}

/** The status after the checks have ended: as in Docker, what is not checked is not healthy. */
export function uncheckedHealth({ health }: ContainerState): Pick<ContainerState, "health"> {
  return health === undefined ? {} : { health: "unhealthy" }
}

/** `State.Health` of inspect; undefined for a container that was never checked. */
export function healthOf(parts: ContainerParts, id: string, { health }: ContainerState): InspectState["Health"] {
  if (health === undefined) return undefined
  const live = parts.live.find(id)?.health
  const { failingStreak, results } = live?.known ? live : (parts.store.healthRecord(id) ?? NO_RESULTS)
  return { Status: health, FailingStreak: failingStreak, Log: [...results] }
}

type Run = { readonly id: string; readonly check: Check; readonly signal: AbortSignal }

/** `since`: when the last one ended, or else the first interval begins. */
async function runChecks(parts: ContainerParts, run: Run, since: number): Promise<void> {
  const { id, check, signal } = run
  let passed = Date.now() - since
  for (;;) {
    const state = parts.store.find(id)?.state
    if (state === undefined) return
    const interval = nextInterval(check, state.health ?? "starting", ageOf(state))
    await sleep(Math.max(0, interval - passed), undefined, { signal }).catch(() => undefined)
    passed = 0
    if (signal.aborted) return
    const begun = Date.now()
    const result = await runOnce(parts, run)
    if (signal.aborted) return
    // The lock, so that no transition under way writes over what is recorded here.
    await parts.locks.hold(id, () => {
      if (!signal.aborted) recordResult(parts, run, result, begun)
    })
  }
}

async function runOnce(parts: ContainerParts, { id, check, signal }: Run): Promise<HealthResult> {
  const Start = now()
  try {
    const { exitCode, output } = await parts.probe(id, check.command, { timeout: check.timeout, signal })
    return { Start, End: now(), ExitCode: exitCode, Output: output }
  } catch (error) {
    // A check that cannot be run has failed. Its reason is the user's to see, like the output of one that ran.
    if (!signal.aborted) log.warn("A health check could not be run", { container: id, error: describeError(error) })
    return { Start, End: now(), ExitCode: -1, Output: error instanceof Error ? error.message : String(error) }
  }
}

function recordResult(parts: ContainerParts, { id, check }: Run, result: HealthResult, begun: number): void {
  const container = parts.store.find(id)
  if (container === undefined) return
  const { record, state, intent } = container
  const { health } = parts.live.of(id)
  const before = { status: state.health ?? "starting", failingStreak: health.failingStreak }
  const verdict = judge(check, before, result.ExitCode, begun - Date.parse(state.startedAt))
  health.failingStreak = verdict.failingStreak
  health.results = [...health.results, result].slice(-RESULTS_KEPT)
  const changed = verdict.status !== state.health
  try {
    if (changed) parts.store.observe(id, { ...state, health: verdict.status }, intent)
    parts.store.recordHealth(id, { failingStreak: health.failingStreak, results: health.results })
  } catch (error) {
    // A full disk, as a rule: the next result finds the old status, and tries again.
    log.error("The health of a container cannot be recorded", { container: id, error: describeError(error) })
    return
  }
  if (changed) parts.events.emit("container", `health_status: ${verdict.status}`, id, attributesOf(record))
  followHealth(parts, id, verdict.status)
}

function ageOf(state: ContainerState): number {
  return Date.now() - Date.parse(state.startedAt)
}
