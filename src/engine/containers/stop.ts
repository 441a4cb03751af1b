// Stop, kill, restart, pause. A stop is never followed by a restart of the policy.
import { constants } from "node:os"
import { crashpoint } from "../../lib/crashpoint.ts"
import { DhowError, describeError, errnoName, isKind } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"
import { now } from "../../lib/time.ts"
import type { Ask, Asker } from "../../wire/exit.ts"
import { attributesOf } from "./attributes.ts"
import { stoppedState } from "./exits.ts"
import { beginHealthChecks, endHealthChecks, uncheckedHealth } from "./health-checks.ts"
import type { ContainerParts } from "./parts.ts"
import { type Container, historyOf, isRunning, type StopOrder } from "./record.ts"
import { runtimeOf } from "./runtime.ts"
import { parseSignal } from "./signals.ts"
import { startContainer } from "./start.ts"
import { hangsInKernel, unkillable } from "./stuck.ts"
import { stopSignalOf } from "./systemd.ts"

const DEFAULT_TIMEOUT = 10
const SIGKILL = constants.signals.SIGKILL
/** After SIGKILL the kernel needs a moment; more than this means that a process hangs in the kernel. */
const KILL_PATIENCE = 10_000
const THAW_AFTER = 1000
const STUCK_AFTER = 3000

export type StopOptions = { readonly timeout?: number; readonly signal?: string; readonly by?: Asker | undefined }

/** What a signal is sent for, and on whose wish. */
type Wish = { readonly action: Ask["Action"]; readonly by?: Asker | undefined }

export async function stopContainer(
  parts: ContainerParts,
  reference: string,
  options: StopOptions = {},
  action: "stop" | "restart" = "stop",
): Promise<"stopped" | "unchanged"> {
  const wish: Wish = { action, by: options.by }
  const { record, state } = parts.store.resolve(reference)
  const { id } = record
  if (state.status === "restarting") {
    await parts.locks.hold(id, () => abandonRestart(parts, id))
    if (!isRunning(parts.store.get(id).state)) return "stopped"
  }
  if (!isRunning(parts.store.get(id).state)) return "unchanged"
  const signal = parseSignal(options.signal || stopSignalOf(record, parts.store.get(id).state))
  const timeout = options.timeout ?? record.config.StopTimeout ?? DEFAULT_TIMEOUT
  const deadline = timeout < 0 ? {} : { deadline: new Date(Date.now() + timeout * 1000).toISOString() }
  const order: StopOrder = { signal, isSent: false, ...deadline, restarts: action === "restart" }
  const run = await stopRun(parts, id, { ...wish, signal, order })
  if (run === undefined) return "unchanged"
  crashpoint("container.stop:after-signal")
  if (timeout < 0) await run.ended
  else if (!(await within(run.ended, timeout * 1000))) await killAndWait(parts, id, wish)
  const after = parts.store.find(id)
  parts.events.emit("container", "stop", id, attributesOf(after?.record ?? record))
  return "stopped"
}

/**
 * Signals the run that is going on, on a user's wish that it ends. Returns that run's end, which is not that of a run
 * begun while we waited for the lock; undefined where nothing runs any more.
 */
async function stopRun(
  parts: ContainerParts,
  id: string,
  { signal, order, ...wish }: Wish & { readonly signal: number; readonly order?: StopOrder },
): Promise<{ readonly ended: Promise<void> } | undefined> {
  return await parts.locks.hold(id, async () => {
    const container = parts.store.find(id)
    if (container === undefined || !isRunning(container.state)) return undefined
    const { ended } = parts.live.of(id)
    markStopping(parts, id, { asked: ask(wish, signal), order })
    crashpoint("container.stop:after-row")
    await signalContainer(parts, container, signal)
    if (order !== undefined) noteSent(parts, id, order)
    return { ended }
  })
}

function noteSent(parts: ContainerParts, id: string, order: StopOrder): void {
  const { state } = parts.store.get(id)
  if (isRunning(state)) parts.store.observe(id, { ...state, stop: { ...order, isSent: true } }, "stopping")
}

/** What is left of a stop that another engine began: its signal where that was not sent, the wait, and SIGKILL at last. */
export async function finishStop(parts: ContainerParts, id: string): Promise<void> {
  const state = parts.store.find(id)?.state
  if (state === undefined || !isRunning(state) || state.stop === undefined) return
  const { stop, asked } = state
  const wish: Wish = { action: asked?.Action ?? "stop", by: asked?.By }
  const { ended } = parts.live.of(id)
  if (!stop.isSent) await stopRun(parts, id, { ...wish, signal: stop.signal, order: stop })
  const left = stop.deadline === undefined ? undefined : Date.parse(stop.deadline) - Date.now()
  if (left === undefined) await ended
  else if (!(await within(ended, Math.max(0, left)))) await killAndWait(parts, id, wish)
  const after = parts.store.find(id)
  if (after !== undefined) parts.events.emit("container", "stop", id, attributesOf(after.record))
}

/** SIGKILL, and the wait for its exit to be recorded. */
async function killAndWait(parts: ContainerParts, id: string, wish: Wish): Promise<void> {
  const run = await stopRun(parts, id, { ...wish, signal: SIGKILL })
  if (run !== undefined && !(await endsOfKill(parts, id, run))) throw await unkillable(parts, id)
}

/** The same; false where it does not end even so, the sooner where the kernel plainly holds it. */
export async function endByForce(parts: ContainerParts, id: string, wish: Wish): Promise<boolean> {
  const run = await stopRun(parts, id, { ...wish, signal: SIGKILL })
  if (run === undefined || (await endsOfKill(parts, id, { ended: run.ended, patience: STUCK_AFTER }))) return true
  if (await hangsInKernel(parts, id)) return false
  return await within(run.ended, KILL_PATIENCE - STUCK_AFTER)
}

/** Waits for what SIGKILL does. Somebody who froze the processes, without the engine, is overruled: nothing dies frozen. */
async function endsOfKill(
  parts: ContainerParts,
  id: string,
  { ended, patience = KILL_PATIENCE }: { readonly ended: Promise<void>; readonly patience?: number },
): Promise<boolean> {
  if (await within(ended, THAW_AFTER)) return true
  const record = parts.store.find(id)?.record
  if (record !== undefined)
    await runtimeOf(parts, record)
      .resume(id)
      .catch((error: unknown) => log.debug("Nothing to thaw", { container: id, error: describeError(error) }))
  return await within(ended, patience - THAW_AFTER)
}

export async function killContainer(
  parts: ContainerParts,
  reference: string,
  signalText = "",
  options: { readonly by?: Asker | undefined } = {},
): Promise<void> {
  const signal = parseSignal(signalText || "KILL")
  const { record, state } = parts.store.resolve(reference)
  const { id } = record
  if (!isRunning(state)) {
    if (state.status === "restarting") await parts.locks.hold(id, () => abandonRestart(parts, id))
    else throw notRunning(id)
    return
  }
  // A kill with a stop signal is a user's wish that it ends: no restart follows, as in Docker.
  const stops =
    options.by?.Kind !== "engine" && (signal === SIGKILL || signal === parseSignal(stopSignalOf(record, state)))
  const { ended } = await parts.locks.hold(id, async () => {
    const container = parts.store.get(id)
    if (!isRunning(container.state)) throw notRunning(id)
    // Inside an object, or this would wait for the end.
    const run = { ended: parts.live.of(id).ended }
    const asked = ask({ action: "kill", by: options.by }, signal)
    if (stops) markStopping(parts, id, { asked })
    else parts.store.observe(id, { ...container.state, asked }, container.intent)
    await signalContainer(parts, container, signal)
    return run
  })
  if (signal === SIGKILL && !(await endsOfKill(parts, id, { ended }))) throw await unkillable(parts, id)
}

export async function restartContainer(
  parts: ContainerParts,
  reference: string,
  options: StopOptions = {},
): Promise<void> {
  const { record } = parts.store.resolve(reference)
  const live = parts.live.of(record.id)
  const over = Promise.withResolvers<void>()
  live.restarted = over.promise
  try {
    // An --rm container would be gone after its stop: it is only ever restarted whole.
    live.restarting++
    try {
      await stopContainer(parts, record.id, options, "restart")
    } finally {
      live.restarting--
    }
    crashpoint("container.restart:stopped")
    await startContainer(parts, record.id)
  } finally {
    if (live.restarted === over.promise) live.restarted = undefined
    over.resolve()
  }
  parts.events.emit("container", "restart", record.id, attributesOf(record))
}

/** `intent` is what the pause is for, where it is not the user's wish: the next engine ends it after a crash. */
export async function pauseContainer(parts: ContainerParts, reference: string, intent?: "committing"): Promise<void> {
  const { id } = parts.store.resolve(reference).record
  await parts.locks.hold(id, async () => {
    const { record, state } = parts.store.get(id)
    if (state.status === "paused") throw new DhowError("conflict", `Container ${id} is already paused`)
    if (state.status === "restarting")
      throw new DhowError("conflict", `Container ${id} is restarting, wait until the container is running`)
    if (!isRunning(state)) throw notRunning(id)
    await freeze(parts, id, () => runtimeOf(parts, record).pause(id))
    endHealthChecks(parts, id)
    parts.store.observe(id, { ...state, ...uncheckedHealth(state), status: "paused" }, intent)
    parts.events.emit("container", "pause", id, attributesOf(record))
  })
}

export async function unpauseContainer(parts: ContainerParts, reference: string): Promise<void> {
  const { id } = parts.store.resolve(reference).record
  await parts.locks.hold(id, async () => {
    const { record, state } = parts.store.get(id)
    if (state.status !== "paused") throw new DhowError("conflict", `Container ${id} is not paused`)
    await freeze(parts, id, () => runtimeOf(parts, record).resume(id))
    parts.store.observe(id, { ...state, status: "running" })
    beginHealthChecks(parts, id)
    parts.events.emit("container", "unpause", id, attributesOf(record))
  })
}

/** After a crash in here the next engine looks which of the two it is. */
async function freeze(parts: ContainerParts, id: string, step: () => Promise<void>): Promise<void> {
  parts.store.intend(id, "freezing")
  try {
    await step()
    crashpoint("container.pause:before-row")
  } catch (error) {
    parts.store.intend(id, undefined)
    throw error
  }
}

function ask({ action, by }: Wish, signal: number): Ask {
  return { Action: action, Signal: signal, Time: now(), ...(by === undefined ? {} : { By: by }) }
}

function markStopping(
  parts: ContainerParts,
  id: string,
  { asked, order }: { readonly asked: Ask; readonly order?: StopOrder | undefined },
): void {
  const live = parts.live.of(id)
  live.isStopping = true
  live.ended.then(() => {
    live.isStopping = false
  })
  const { state } = parts.store.get(id)
  if (!isRunning(state)) return
  const { asked: before } = state
  const First = before?.First ?? (before === undefined ? undefined : { Signal: before.Signal, Time: before.Time })
  const whole = First === undefined || before?.Action !== asked.Action ? asked : { ...asked, First }
  const stop = order ?? state.stop
  parts.store.observe(
    id,
    { ...state, stoppedByUser: true, asked: whole, ...(stop === undefined ? {} : { stop }) },
    "stopping",
  )
}

async function signalContainer(parts: ContainerParts, { record }: Container, signal: number): Promise<void> {
  // As the wish has just been recorded in it.
  const { state } = parts.store.get(record.id)
  if (!isRunning(state)) return
  const runtime = runtimeOf(parts, record)
  try {
    await runtime.kill(record.id, signal)
  } catch (error) {
    // It ended between our look and the signal: the exit is on its way.
    if (errnoName(error) !== "ESRCH" && !isKind(error, "conflict")) throw error
    return
  }
  parts.events.emit("container", "kill", record.id, attributesOf(record, { signal: String(signal) }))
  // A frozen process takes no signal before it thaws.
  if (state.status === "paused") {
    try {
      await runtime.resume(record.id)
    } catch (error) {
      // It ended while it was being frozen: the exit is on its way.
      if (!isKind(error, "conflict")) throw error
      return
    }
    parts.store.observe(record.id, { ...state, status: "running", stoppedByUser: true }, "stopping")
    beginHealthChecks(parts, record.id)
  }
}

function abandonRestart(parts: ContainerParts, id: string): void {
  const container = parts.store.find(id)
  if (container === undefined || container.state.status !== "restarting") return
  const live = parts.live.of(id)
  clearTimeout(live.restart?.timer)
  live.restart = undefined
  parts.store.observe(id, stoppedState(container.state))
  live.answer({ StatusCode: historyOf(container.state).exitCode }, ["not-running"])
}

export function notRunning(id: string): DhowError {
  return new DhowError("conflict", `container ${id} is not running`)
}

/** True when `promise` settles within `milliseconds`. */
async function within(promise: Promise<void>, milliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds)
  })
  try {
    return await Promise.race([promise.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}
