// Command line of the soak.
import { parseArgs } from "node:util"

export type Options = {
  readonly minutes: number
  readonly clients: number
  /** Minutes between two rests: readings of an engine that nobody uses, which the verdict compares. */
  readonly rest: number
}

export const USAGE = `Usage: npm run soak -- [--minutes N] [--clients N] [--rest MINUTES]

Puts mixed load on an engine of its own (create, exec, attach, logs, stats, pause, kill, rm and more, by several clients
at once), prints once a minute what it holds, lets it rest now and then, and fails where something has grown. Needs root.`

export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: { minutes: { type: "string" }, clients: { type: "string" }, rest: { type: "string" } },
  })
  const minutes = positive("minutes", values.minutes, 120)
  return {
    minutes,
    clients: Math.ceil(positive("clients", values.clients, 8)),
    rest: positive("rest", values.rest, Math.min(10, minutes / 4)),
  }
}

function positive(name: string, text: string | undefined, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text)
  if (!(value > 0) || !Number.isFinite(value)) throw new Error(`--${name} "${text}" is not a number above 0`)
  return value
}
