// What the completion scripts need to know of the commands: names, flags, and what kind of thing an argument names.
import type { CommandEntry } from "../command.ts"

export type CompletionCommand = {
  /** "run", "container run" */
  readonly path: string
  readonly summary: string
  readonly flags: readonly {
    readonly name: string
    readonly short: string | undefined
    readonly help: string
    readonly takesValue: boolean
  }[]
  readonly subcommands: readonly { readonly name: string; readonly summary: string }[]
  readonly argument: "container" | "image" | "volume" | "network" | "none"
}

export async function completionModel(
  table: Readonly<Record<string, CommandEntry>>,
  parent = "",
): Promise<CompletionCommand[]> {
  const found: CompletionCommand[] = []
  for (const [name, entry] of Object.entries(table)) {
    if (entry.hidden === true) continue
    const path = parent === "" ? name : `${parent} ${name}`
    const command = await entry.load?.()
    const flags = Object.entries(command?.flags ?? {})
      .filter(([, spec]) => spec.hidden !== true)
      .map(([flag, spec]) => ({ name: flag, short: spec.short, help: spec.help, takesValue: spec.kind !== "boolean" }))
    const subcommands = Object.entries(entry.subcommands ?? {})
      .filter(([, sub]) => sub.hidden !== true)
      .map(([sub, { summary }]) => ({ name: sub, summary }))
    found.push({ path, summary: entry.summary, flags, subcommands, argument: argumentOf(command?.usage ?? "", path) })
    if (entry.subcommands !== undefined) found.push(...(await completionModel(entry.subcommands, path)))
  }
  return found
}

function argumentOf(usage: string, path: string): CompletionCommand["argument"] {
  if (/\bCONTAINER\b/.test(usage) || path === "inspect") return "container"
  if (/IMAGE|\bNAME\[:TAG/.test(usage)) return "image"
  if (/\bVOLUME\b/.test(usage)) return "volume"
  if (/\bNETWORK\b/.test(usage)) return "network"
  return "none"
}

/** Shell commands that list what an argument may be. */
export const LISTINGS = {
  container: "dhow ps -a --format '{{.Names}}' 2>/dev/null",
  image: "dhow images --format '{{.Repository}}:{{.Tag}}' 2>/dev/null",
  volume: "dhow volume ls -q 2>/dev/null",
  network: "dhow network ls --format '{{.Name}}' 2>/dev/null",
  none: "",
} as const
