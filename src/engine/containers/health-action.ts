// What the engine does about an unhealthy container (--health-action). The first time it acts at once; whatever turns
// unhealthy again soon after waits longer each time, and is left alone if it recovers meanwhile.
import { DhowError, describeError } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"
import type { HealthAction } from "../../wire/container.ts"
import type { ContainerParts } from "./parts.ts"

export const HEALTH_ACTIONS: readonly HealthAction[] = ["none", "restart", "stop", "kill"]

const FIRST_DELAY = 1000
const LONGEST_DELAY = 5 * 60_000
/** Whoever stayed well for so long after an action begins anew. */
const FORGOTTEN_AFTER = 10 * 60_000

/** Of one container, while it is known: when the engine acted, and how long it then waited. */
export type HealthActions = { timer: NodeJS.Timeout | undefined; acting: boolean; last: number; delay: number }

export function checkHealthAction(text: string | undefined): void {
  if (text !== undefined && text !== "" && !(HEALTH_ACTIONS as readonly string[]).includes(text))
    throw new DhowError("invalid", `invalid health action "${text}": expected ${HEALTH_ACTIONS.join(", ")}`)
}

/** Milliseconds to wait before the next action. */
export function nextDelay({ last, delay }: Pick<HealthActions, "last" | "delay">, now: number): number {
  if (last === 0 || now - last > FORGOTTEN_AFTER) return 0
  return Math.min(Math.max(FIRST_DELAY, 2 * delay), LONGEST_DELAY)
}

/** After each result of a check. Nothing happens twice while one action waits or goes on. */
export function followHealth(parts: ContainerParts, id: string, status: string): void {
  const container = parts.store.find(id)
  const action = container?.record.hostConfig.HealthAction
  const { healthActions: actions } = parts.live.of(id)
  if (status !== "unhealthy") {
    endHealthAction(actions)
    return
  }
  if (!action || action === "none" || actions.timer !== undefined || actions.acting) return
  actions.delay = nextDelay(actions, Date.now())
  actions.timer = setTimeout(() => void act(parts, id, { action, actions }), actions.delay)
}

/** It recovered, ended, or was paused. */
export function endHealthAction(actions: HealthActions): void {
  clearTimeout(actions.timer)
  actions.timer = undefined
}

async function act(
  parts: ContainerParts,
  id: string,
  { action, actions }: { readonly action: Exclude<HealthAction, "none">; readonly actions: HealthActions },
): Promise<void> {
  actions.timer = undefined
  actions.acting = true
  actions.last = Date.now()
  log.warn("A container is unhealthy", { container: id, action })
  try {
    await parts.act(id, action, { Kind: "engine", Reason: "unhealthy" })
  } catch (error) {
    log.error("Nothing could be done about an unhealthy container", {
      container: id,
      action,
      error: describeError(error),
    })
  } finally {
    actions.acting = false
  }
}
