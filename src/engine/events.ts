// The event log: kept in the database across restarts, and handed to whoever listens. Writing is batched to the end of
// the current turn of the loop, so that a start pays one row insert after its answer is on the way.
import { describeError } from "../lib/errors.ts"
import { log } from "../lib/log.ts"
import type { Database } from "../state/database.ts"
import { readJsonColumn } from "../state/json-column.ts"
import type { EventMessage, EventType } from "../wire/system.ts"
import type { Events, Filters } from "./contract.ts"
import { hasFilter, matchLabels } from "./filters.ts"

/** The oldest events beyond this number are dropped. */
const KEEP = 20_000
const PRUNE_EVERY = 1_000
/** Where they cannot be written, no more than this many wait in memory. */
const KEEP_UNWRITTEN = 1_000
const WRITE_AGAIN_MS = 1000
/** A client so far behind is not reading: its stream ends, and it may ask again with `since`. */
const BACKLOG_LIMIT = 10_000

/** Date.now() is up to one behind. */
const CLOCK_SLACK_MS = 2

type Listener = (event: StoredEvent) => void
/** `nanoseconds` as text: it does not fit a double. */
type StoredEvent = { readonly milliseconds: number; readonly json: string; readonly event: EventMessage }

type Subscription = {
  readonly since?: number
  readonly until?: number
  readonly filters: Filters
  readonly signal: AbortSignal
}

export class EventLog implements Events {
  readonly #database: Database
  readonly #listeners = new Set<Listener>()
  #pending: StoredEvent[] = []
  #sincePrune = 0
  #ownListeners = 0
  #lastMicroseconds = 0
  #origin = performance.timeOrigin
  #again: NodeJS.Timeout | undefined

  constructor(database: Database) {
    this.#database = database
  }

  /** `at`, in milliseconds since 1970, is when it happened, where that is not just now. */
  emit(
    type: EventType,
    action: string,
    id: string,
    attributes: Readonly<Record<string, string>> = {},
    at: number = this.now(),
  ): void {
    // Strictly increasing, so that events of one instant keep their order in the log; in whole microseconds, so that one
    // is known again when it is read from there.
    const microseconds = Math.max(Math.floor(at * 1000), this.#lastMicroseconds + 1)
    this.#lastMicroseconds = microseconds
    const milliseconds = microseconds / 1000
    const event: EventMessage = {
      ...(type === "container" || type === "image" ? { status: action, id } : {}),
      ...(type === "container" && attributes["image"] !== undefined ? { from: attributes["image"] } : {}),
      Type: type,
      Action: action,
      Actor: { ID: id, Attributes: { ...attributes } },
      scope: "local",
      time: Math.floor(milliseconds / 1000),
      timeNano: microseconds * 1000,
    }
    const stored = { milliseconds, json: JSON.stringify(event), event }
    if (this.#pending.push(stored) === 1) setImmediate(() => this.flush())
    for (const listener of this.#listeners) listener(stored)
  }

  /** Clients that wait for events. */
  get listening(): number {
    return this.#listeners.size - this.#ownListeners
  }

  /** Milliseconds since 1970 with fractions: the fine clock, set anew where the machine's was set. */
  now(): number {
    const [fine, wall] = [performance.now(), Date.now()]
    if (Math.abs(this.#origin + fine - wall) > CLOCK_SLACK_MS) this.#origin = wall - fine
    return this.#origin + fine
  }

  /** Calls back at every event, for as long as the engine lives. */
  onEvent(callback: () => void): void {
    this.#ownListeners++
    this.#listeners.add(callback)
  }

  /** Writes what waits; called at the end of a turn, and before the log is read. */
  flush(): void {
    const batch = this.#pending
    if (batch.length === 0) return
    this.#pending = []
    try {
      this.#write(batch)
    } catch (error) {
      // A full disk, as a rule. Listeners have had these events; the log gets the newest of them when there is room.
      if (this.#again === undefined) log.error("Events cannot be written", { error: describeError(error) })
      this.#pending = batch.slice(-KEEP_UNWRITTEN)
      clearTimeout(this.#again)
      this.#again = setTimeout(() => this.flush(), WRITE_AGAIN_MS)
      this.#again.unref()
      return
    }
    this.#again = undefined
  }

  #write(batch: readonly StoredEvent[]): void {
    const insert = this.#database.query<never, { time: number; event: string }>(
      "INSERT INTO events (time, event) VALUES ($time, $event)",
    )
    const prunes = this.#sincePrune + batch.length >= PRUNE_EVERY
    this.#database.transaction(() => {
      for (const { milliseconds, json } of batch) insert.run({ time: Math.round(milliseconds * 1000), event: json })
      if (!prunes) return
      this.#database
        .query<never, { keep: number }>("DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - $keep")
        .run({ keep: KEEP })
    })
    this.#sincePrune = prunes ? 0 : this.#sincePrune + batch.length
  }

  /** Listens from this call on, not only from the first `next()`: what happens in between is not lost. */
  subscribe(options: Subscription): AsyncGenerator<EventMessage> {
    const queue: StoredEvent[] = []
    const arrival = { wake: Promise.withResolvers<void>() }
    const listener = (event: StoredEvent): void => {
      if (queue.push(event) > BACKLOG_LIMIT) this.#listeners.delete(listener)
      arrival.wake.resolve()
    }
    this.#listeners.add(listener)
    return this.#deliver(options, { queue, arrival, listener })
  }

  async *#deliver(
    options: Subscription,
    source: { queue: StoredEvent[]; arrival: { wake: PromiseWithResolvers<void> }; listener: Listener },
  ): AsyncGenerator<EventMessage> {
    const { since, until, filters, signal } = options
    const { queue, arrival, listener } = source
    const finish = (): void => arrival.wake.resolve()
    const timer =
      until === undefined ? undefined : setTimeout(finish, Math.min(Math.max(0, until - Date.now()), 0x7fffffff))
    signal.addEventListener("abort", finish)
    try {
      let last = 0
      // With either bound the past is told, up to `until` from its beginning, as Docker does.
      if (since !== undefined || until !== undefined) {
        this.flush()
        for (const stored of this.#past(since ?? 0, until)) {
          last = stored.milliseconds
          if (matches(filters, stored.event)) yield stored.event
        }
      }
      while (!signal.aborted) {
        for (const stored of queue.splice(0)) {
          if (stored.milliseconds <= last || !matches(filters, stored.event)) continue
          if (until !== undefined && stored.milliseconds > until) return
          yield stored.event
        }
        if (queue.length === 0 && !this.#listeners.has(listener)) return
        if (until !== undefined && Date.now() >= until) return
        if (queue.length === 0) await arrival.wake.promise
        arrival.wake = Promise.withResolvers<void>()
      }
    } finally {
      clearTimeout(timer)
      signal.removeEventListener("abort", finish)
      this.#listeners.delete(listener)
    }
  }

  #past(since: number, until: number | undefined): StoredEvent[] {
    const rows = this.#database
      .query<{ id: number; time: number; event: string }, { since: number; until: number }>(
        "SELECT id, time, event FROM events WHERE time >= $since AND time <= $until ORDER BY id",
      )
      .all({ since: Math.floor(since * 1000), until: Math.floor((until ?? 8e12) * 1000) })
    return rows.flatMap(({ id, time, event: json }) => {
      const event = readJsonColumn<EventMessage>(json, `event ${id}`)
      return event === undefined ? [] : [{ milliseconds: time / 1000, json, event }]
    })
  }
}

function matches(filters: Filters, event: EventMessage): boolean {
  const { ID: id, Attributes: attributes } = event.Actor
  const isNamed =
    (type: EventType) =>
    (value: string): boolean =>
      event.Type === type && (id.startsWith(value) || attributes["name"]?.startsWith(value) === true)
  return (
    hasFilter(filters, "type", (value) => event.Type === value) &&
    hasFilter(filters, "event", (value) => event.Action === value || event.Action.split(":")[0] === value) &&
    hasFilter(filters, "container", isNamed("container")) &&
    hasFilter(filters, "volume", isNamed("volume")) &&
    hasFilter(filters, "network", isNamed("network")) &&
    hasFilter(filters, "daemon", isNamed("daemon")) &&
    hasFilter(filters, "scope", (value) => event.scope === value) &&
    hasFilter(filters, "image", (value) => {
      const name = event.Type === "image" ? (attributes["name"] ?? id) : (attributes["image"] ?? "")
      return name === value || id === value || name.split(":")[0] === value
    }) &&
    matchLabels(filters, attributes)
  )
}
