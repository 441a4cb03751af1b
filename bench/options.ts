// Command line of the benchmark.
import { parseArgs } from "node:util"

export const ENGINES = ["dhow", "docker", "podman"] as const
export type EngineName = (typeof ENGINES)[number]

export type Options = {
  readonly only: readonly string[]
  readonly rounds: number
  readonly engines: readonly EngineName[]
}

export const USAGE = `Usage: npm run bench -- [--only CASE,...] [--rounds N] [--engines ENGINE,...] [GROUP...]

Times dhow beside the bare OCI runtime, and docker and podman where they are installed. A group
is the beginning of its cases' names: "images" for images-debian and images-large. Needs root.`

export function parseOptions(args: readonly string[], cases: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { only: { type: "string" }, rounds: { type: "string" }, engines: { type: "string" } },
  })
  const rounds = Number(values.rounds ?? 20)
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds "${values.rounds}" is not a whole number above 0`)
  const groups = positionals.flatMap((group) => {
    const found = cases.filter((name) => name === group || name.startsWith(`${group}-`))
    if (found.length === 0) throw new Error(`There is no case "${group}" or "${group}-…", only ${cases.join(", ")}`)
    return found
  })
  const only = groups.length === 0 ? values.only : [...groups, ...(values.only?.split(",") ?? [])].join()
  return { only: choose("case", only, cases), rounds, engines: choose("engine", values.engines, ENGINES) }
}

function choose<T extends string>(what: string, list: string | undefined, known: readonly T[]): readonly T[] {
  if (list === undefined) return known
  const wanted = list.split(",")
  const unknown = wanted.find((name) => !known.includes(name as T))
  if (unknown !== undefined) throw new Error(`There is no ${what} "${unknown}", only ${known.join(", ")}`)
  return known.filter((name) => wanted.includes(name))
}
