// dhow events: what happens in the daemon, one line for each event, until the user or --until ends it.
import { checkFilter, parseFilters } from "../../client/filters.ts"
import { serverEvents } from "../../client/system.ts"
import { toJson } from "../../lib/exact-json.ts"
import type { Value } from "../../lib/template/nodes.ts"
import type { EventMessage } from "../../wire/system.ts"
import { defineCommand } from "../command.ts"
import { apiTime } from "../container/logs.ts"
import { list, string } from "../flags/flags.ts"
import { print } from "../output.ts"

export const events = defineCommand({
  usage: "[OPTIONS]",
  summary: "Show what happens, as it happens",
  flags: {
    filter: list("f", "Show only what matches (type=container, event=die)", { value: "filter", check: checkFilter }),
    format: string("", "Print each with a Go template, or 'json'"),
    since: string("", "Begin with what happened since then"),
    until: string("", "End at this time"),
  } as const,
  args: [0, 0],
  examples: ["dhow events -f type=container -f event=die", "dhow events --since 1h --until 0m"],
  async run({ client }, flags) {
    const show = await formatter(flags.format)
    const stream = await serverEvents(client, {
      since: apiTime(flags.since),
      until: apiTime(flags.until),
      filters: parseFilters(flags.filter),
    })
    for await (const event of stream) print(show(event))
    return 0
  },
})

async function formatter(format: string | undefined): Promise<(event: EventMessage) => string> {
  if (format === undefined || format === "") return formatEvent
  if (format === "json") return toJson
  const { compileTemplate } = await import("../../lib/template/evaluate.ts")
  const template = compileTemplate(format)
  return (event) => template(withTemplateFields(event))
}

/** Templates name the fields of Go's type; "json ." shows those of the JSON, so the others are not enumerable. */
function withTemplateFields(event: EventMessage): Value {
  const aliases = {
    Status: event.status ?? "",
    ID: event.id ?? "",
    From: event.from ?? "",
    Scope: event.scope,
    Time: event.time,
    TimeNano: event.timeNano,
  }
  for (const [name, value] of Object.entries(aliases)) Object.defineProperty(event, name, { value })
  return event as unknown as Value
}

export function formatEvent(event: EventMessage): string {
  const attributes = Object.entries(event.Actor.Attributes ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  const shown = attributes.map(([name, value]) => `${name}=${value}`).join(", ")
  return `${eventTime(event)} ${event.Type} ${event.Action} ${event.Actor.ID}${shown === "" ? "" : ` (${shown})`}`
}

/** RFC 3339 with nine digits, in local time. */
function eventTime(event: EventMessage): string {
  const nanoseconds = BigInt(event.timeNano ?? 0) || BigInt(event.time) * 1_000_000_000n
  const date = new Date(Number(nanoseconds / 1_000_000n))
  const offset = -date.getTimezoneOffset()
  const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, 19)
  const fraction = String(nanoseconds % 1_000_000_000n).padStart(9, "0")
  const two = (value: number): string => String(value).padStart(2, "0")
  const minutes = Math.abs(offset)
  const zone = offset === 0 ? "Z" : `${offset < 0 ? "-" : "+"}${two(Math.trunc(minutes / 60))}:${two(minutes % 60)}`
  return `${local}.${fraction}${zone}`
}
