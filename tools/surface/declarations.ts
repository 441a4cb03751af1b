// What we say about each entry of Docker's reference, read from declared/*.txt: a line per entry under its endpoint.
//
//   @run = test/system/docker-run.test.ts: a container runs to its end      a test, by a name of this file's own
//   POST /containers/create           works @run
//     HostConfig.Memory               differs: how, in a few words @run
//     HostConfig.Cpu*                 refused: why @refused                 all that begin so and have no line of their own
//   docker container ls               works @run                            a command of docker's client
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { ReferenceEntry } from "./reference.ts"

export type Verdict = "works" | "differs" | "refused"
export type Test = { readonly file: string; readonly name: string }
export type Declaration = {
  /** As in the reference; with "*" at its end it stands for all that begin so. */
  readonly entry: string
  readonly verdict: Verdict
  readonly text: string
  readonly tests: readonly Test[]
  /** File and line, to be found again. */
  readonly at: string
}

const TEST = /^@([\w-]+) = ([\w./-]+): (.+)$/
const ENDPOINT = /^((?:GET|HEAD|POST|PUT|DELETE|OPTIONS) \/\S*|docker(?: [a-z-]+)+?)\s+((?:works|differs|refused)\b.*)$/
const PART = /^\s+(\S+)\s+(.*)$/
const VERDICT = /^(works|differs|refused)(?:: (.*?))??((?: +@[\w-]+)*)$/

export function parseDeclarations(file: string, text: string): { declarations: Declaration[]; problems: string[] } {
  const tests = new Map<string, Test>()
  const declarations: Declaration[] = []
  const problems: string[] = []
  let endpoint = ""
  for (const [index, line] of text.split("\n").entries()) {
    const at = `${file}:${index + 1}`
    if (line.trim() === "" || line.startsWith("#")) continue
    const [, alias, path, name] = TEST.exec(line) ?? []
    if (alias !== undefined) {
      tests.set(alias, { file: path ?? "", name: name ?? "" })
      continue
    }
    const [, whole, afterWhole] = ENDPOINT.exec(line) ?? []
    const [, part, afterPart] = PART.exec(line) ?? []
    if (whole !== undefined) endpoint = whole
    const [, verdict, how = "", aliases = ""] = VERDICT.exec((afterWhole ?? afterPart ?? "").trim()) ?? []
    if ((whole ?? part) === undefined || verdict === undefined) {
      problems.push(`${at}: expected ENTRY works|differs: HOW|refused: WHY @TEST, got "${line.trim()}"`)
      continue
    }
    const names = aliases.split("@").flatMap((word) => word.trim() || [])
    for (const unknown of names.filter((word) => !tests.has(word))) problems.push(`${at}: no test "@${unknown}" above`)
    declarations.push({
      entry: whole ?? `${endpoint} ${part}`,
      verdict: verdict as Verdict,
      text: how,
      tests: names.flatMap((word) => tests.get(word) ?? []),
      at,
    })
  }
  return { declarations, problems }
}

export function readDeclarations(directory: string): { declarations: Declaration[]; problems: string[] } {
  const files = readdirSync(directory).filter((file) => file.endsWith(".txt"))
  const parsed = files.sort().map((file) => parseDeclarations(file, readFileSync(join(directory, file), "utf8")))
  return {
    declarations: parsed.flatMap((part) => part.declarations),
    problems: parsed.flatMap((part) => part.problems),
  }
}

export type Joined = { readonly entry: ReferenceEntry; readonly declaration: Declaration }

/** Each entry of the reference with what is said about it, and what is wrong: nothing said, said twice, or about nothing. */
export function joinEntries(
  entries: readonly ReferenceEntry[],
  declarations: readonly Declaration[],
): { readonly joined: readonly Joined[]; readonly problems: readonly string[] } {
  const problems: string[] = []
  const exact = new Map<string, Declaration>()
  for (const declaration of declarations) {
    const earlier = exact.get(declaration.entry)
    if (earlier !== undefined) problems.push(`${declaration.at}: "${declaration.entry}" is at ${earlier.at} already`)
    exact.set(declaration.entry, declaration)
  }
  const patterns = declarations
    .filter(({ entry }) => entry.endsWith("*"))
    .sort((a, b) => b.entry.length - a.entry.length)
  const used = new Set<Declaration>()
  const joined = entries.flatMap((entry): Joined[] => {
    const declaration =
      exact.get(entry.name) ?? patterns.find((pattern) => entry.name.startsWith(pattern.entry.slice(0, -1)))
    if (declaration === undefined) {
      problems.push(`"${entry.name}" of Docker's API has no entry in tools/surface/declared`)
      return []
    }
    used.add(declaration)
    return [{ entry, declaration }]
  })
  for (const declaration of declarations)
    if (!used.has(declaration)) problems.push(`${declaration.at}: Docker's API has no "${declaration.entry}"`)
  return { joined, problems }
}
