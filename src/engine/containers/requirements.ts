// What a container requires: others that are started before it, and that have to be healthy, or done, first. They are
// started with it and never stopped with it; stopping or removing one leaves those that require it alone.
import { DhowError } from "../../lib/errors.ts"
import type { EventLog } from "../events.ts"
import { checkOf } from "./health.ts"
import type { ContainerParts } from "./parts.ts"
import { type Container, isRunning, NEVER } from "./record.ts"
import type { ContainerStore } from "./store.ts"

const CONDITIONS = ["started", "healthy", "completed"] as const
export type Condition = (typeof CONDITIONS)[number]

type Requirement = { readonly id: string; readonly condition: Condition | undefined }

/** "NAME" or "NAME:CONDITION", checked and with the name's id in its place. */
export function resolveRequirements(store: ContainerStore, wished: readonly string[] | null | undefined): string[] {
  return (wished ?? []).map((text) => {
    const [name = "", condition, ...more] = text.split(":")
    if (name === "" || more.length > 0 || (condition !== undefined && !isCondition(condition)))
      throw new DhowError("invalid", `invalid requirement "${text}": expected CONTAINER or CONTAINER:CONDITION`, {
        hint: `Conditions are ${CONDITIONS.join(", ")}`,
      })
    const { record } = store.resolve(name)
    if (condition === "healthy" && checkOf(record.config) === undefined)
      throw new DhowError("invalid", `invalid requirement "${text}": container "${record.name}" has no health check`)
    return condition === undefined ? record.id : `${record.id}:${condition}`
  })
}

function isCondition(text: string): text is Condition {
  return (CONDITIONS as readonly string[]).includes(text)
}

/** Before the lock of the container is taken: to become healthy may take minutes. Throws conflict. */
export async function startRequirements(
  parts: ContainerParts,
  id: string,
  above: readonly string[] = [],
): Promise<void> {
  const container = parts.store.find(id)
  const wished = container?.record.hostConfig.Requires
  if (container === undefined || !wished?.length) return
  if (above.includes(id))
    throw new DhowError("conflict", `Container "${container.record.name}" requires itself, by way of others`)
  await Promise.all(
    wished.map((text) => {
      const [required = "", condition] = text.split(":")
      return fulfil(parts, container, { id: required, condition: condition as Condition | undefined }, [...above, id])
    }),
  )
}

async function fulfil(
  parts: ContainerParts,
  { record: { name } }: Container,
  { id, condition }: Requirement,
  above: readonly string[],
): Promise<void> {
  const other = parts.store.find(id)
  const refuse = (why: string, cause?: unknown): DhowError =>
    new DhowError(
      "conflict",
      `container "${name}" requires container "${other?.record.name ?? id.slice(0, 12)}": ${why}`,
      cause === undefined ? {} : { cause },
    )
  if (other === undefined) throw refuse("it does not exist any more")
  const wanted = condition ?? (checkOf(other.record.config) === undefined ? "started" : "healthy")
  if (wanted === "completed" && isDone(other)) return
  if (other.state.status === "paused") throw refuse("it is paused")
  using changes = new Changes(parts.events, id)
  try {
    await startRequirements(parts, id, above)
    await parts.locks.hold(id, () => parts.start(id, 0))
  } catch (error) {
    throw refuse("it could not be started", error)
  }
  if (wanted === "started") return
  for (;;) {
    const now = parts.store.find(id)
    if (now === undefined) throw refuse("it was removed")
    const { state } = now
    if (wanted === "completed") {
      if (isDone(now)) return
      if (!isRunning(state) && state.status !== "restarting") throw refuse(`it ended with ${state.exitCode}`)
    } else {
      if (state.health === "healthy") return
      if (!isRunning(state)) throw refuse(`it ended with ${state.exitCode} before it was healthy`)
      if (state.health === "unhealthy") throw refuse("it is unhealthy")
    }
    await changes.next()
  }
}

function isDone({ state }: Container): boolean {
  return state.status === "exited" && state.exitCode === 0 && state.startedAt !== NEVER
}

/** Events of one container from the construction on. */
class Changes implements Disposable {
  readonly #end = new AbortController()
  readonly #events: AsyncIterator<unknown>
  /** Asked for at once: only a reader that has begun lets go of its place when it is ended. */
  #coming: Promise<unknown>

  constructor(events: EventLog, id: string) {
    const filters = new Map([["container", [id]]])
    this.#events = events.subscribe({ filters, signal: this.#end.signal })
    this.#coming = this.#events.next()
  }

  async next(): Promise<void> {
    await this.#coming
    this.#coming = this.#events.next()
  }

  [Symbol.dispose](): void {
    this.#end.abort()
  }
}
