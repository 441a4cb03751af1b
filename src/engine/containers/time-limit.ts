// The time limit of a run (--timeout), from its start on by the clock: then the engine stops it as `stop` would. It goes on
// over restarts of the engine; what was over meanwhile is stopped when the engine is back.
import { describeError } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"
import type { ContainerParts } from "./parts.ts"
import { isRunning } from "./record.ts"

/** What a timer can be set to. */
const LONGEST = 2 ** 31 - 1
const AGAIN_MS = 10_000

/** Sets the clock by what the container's row says: after a start, an adoption, or a change of the limit. */
export function armTimeLimit(parts: ContainerParts, id: string): void {
  disarmTimeLimit(parts, id)
  const { record, state } = parts.store.get(id)
  const seconds = record.hostConfig.Timeout ?? 0
  if (seconds <= 0 || !isRunning(state)) return
  wait(parts, id, Date.parse(state.startedAt) + seconds * 1000)
}

export function disarmTimeLimit(parts: ContainerParts, id: string): void {
  const live = parts.live.find(id)
  clearTimeout(live?.timeLimit)
  if (live !== undefined) live.timeLimit = undefined
}

function wait(parts: ContainerParts, id: string, due: number): void {
  const left = Math.max(0, due - Date.now())
  const next = (): void => {
    if (due > Date.now()) wait(parts, id, due)
    else void stopNow(parts, id)
  }
  parts.live.of(id).timeLimit = setTimeout(next, Math.min(left, LONGEST))
}

async function stopNow(parts: ContainerParts, id: string): Promise<void> {
  try {
    await parts.booted.promise
    await parts.act(id, "stop", { Kind: "engine", Reason: "time-limit" })
  } catch (error) {
    const state = parts.store.find(id)?.state
    if (state === undefined || !isRunning(state)) return
    log.error("A container whose time is over could not be stopped; trying again", {
      container: id,
      error: describeError(error),
    })
    wait(parts, id, Date.now() + AGAIN_MS)
  }
}
