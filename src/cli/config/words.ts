// Values, origins and effects of the configuration in words.
import type { ConfigKey, ConfigOrigin, ConfigReload } from "../../wire/config.ts"
import { print, printError } from "../output.ts"

export function valueText(value: unknown): string {
  if (value === null || value === undefined) return "-"
  return typeof value === "string" ? value : JSON.stringify(value)
}

export function originText(origins: readonly ConfigOrigin[]): string {
  return origins.map(one).join(", ")
}

function one(origin: ConfigOrigin): string {
  if (origin.Kind === "default") return "default"
  return "File" in origin ? `${origin.File}:${origin.Line}` : origin.Kind === "flag" ? origin.Name : `$${origin.Name}`
}

export const TAKES: Readonly<Record<ConfigKey["Takes"], string>> = {
  now: "at once",
  containers: "new containers",
  idle: "idle bridge",
  restart: "restart",
  move: "never live",
}

/** What a reload or an edit did, or would do. */
export function printReload(reload: ConfigReload, format: string): void {
  const { DryRun, Changes, Problems } = reload
  if (format === "json") {
    print(JSON.stringify(reload))
    return
  }
  for (const { Key, From, To, Effect, Reason } of Changes)
    print(
      `${Key}: ${valueText(From)} -> ${valueText(To)} (${Effect === "now" ? "at once" : Effect}${Reason === undefined ? "" : `: ${Reason}`})`,
    )
  if (Changes.length === 0) print(DryRun ? "Nothing would change" : "Nothing has changed")
  for (const problem of Problems) printError(problem)
}

/** Tried as JSON, else a text: `true`, `3`, `["a"]`, `10.0.0.1`. */
export function parseValue(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

export function onlyJson(value: string): string {
  if (value !== "json") throw new Error(`invalid format "${value}": expected json`)
  return value
}
