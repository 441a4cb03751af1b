// docs/api.md, and the summary in docs/compatibility.md: what of Docker's API works, differs or is refused. A line says
// nothing about other lines (no counts, no numbers), so that changes of two people merge.
import type { Joined, Test } from "./declarations.ts"
import type { Reference, ReferenceEntry } from "./reference.ts"

export const BEGIN = "<!-- made by npm run surface: begin -->"
export const END = "<!-- made by npm run surface: end -->"

const endpointOf = (name: string): string => name.split(" ", 2).join(" ")
const partOf = (name: string): string => name.split(" ").slice(2).join(" ")
const nounOf = (name: string): string => /^\S+ \/([^/ ]*)/.exec(name)?.[1] ?? ""
const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("<", "&lt;")
const row = (...cells: readonly string[]): string => `| ${cells.join(" | ")} |`.replace(/ {2,}/g, " ")

/** By noun, then by path, then by method. */
function sorted(joined: readonly Joined[]): readonly Joined[] {
  const key = ({ entry }: Joined): string =>
    `${nounOf(entry.name)} ${endpointOf(entry.name).split(" ").reverse().join(" ")}`
  return [...joined].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0))
}

export function renderPage({ versions: [first, newest] }: Reference, client: string, all: readonly Joined[]): string {
  const joined = all.filter(({ entry }) => !isCommand(entry))
  const lines = [
    "# Docker's API, entry by entry",
    "",
    `Every endpoint, parameter and field of Docker's published references of the versions ${first} to ${newest}, with the tests`,
    "that show what is said; then every command of docker's client. `npm run surface` makes this page; [CONTRIBUTING.md](../CONTRIBUTING.md) says from what.",
  ]
  let noun = ""
  let endpoint = ""
  for (const { entry, declaration } of sorted(joined)) {
    if (nounOf(entry.name) !== noun) {
      noun = nounOf(entry.name)
      lines.push("", `## /${noun}`)
    }
    if (endpointOf(entry.name) !== endpoint) {
      endpoint = endpointOf(entry.name)
      lines.push("", `### ${endpoint}`, "", "| | versions | | | tests |", "|---|---|---|---|---|")
    }
    const name = partOf(entry.name)
    const tests = declaration.tests.map(link).join("<br>")
    lines.push(
      row(
        name === "" ? "the endpoint" : `\`${name}\``,
        span(entry),
        declaration.verdict,
        cell(declaration.text),
        tests,
      ),
    )
  }
  lines.push("", `## Commands of docker's client ${client}`, "", "| | | | tests |", "|---|---|---|---|")
  for (const { entry, declaration } of all.filter(({ entry }) => isCommand(entry)))
    lines.push(
      row(`\`${entry.name}\``, declaration.verdict, cell(declaration.text), declaration.tests.map(link).join("<br>")),
    )
  return `${lines.join("\n")}\n`
}

const isCommand = ({ name }: ReferenceEntry): boolean => name.startsWith("docker ")

function span({ since, last }: ReferenceEntry): string {
  if (last !== undefined) return since === undefined ? `to ${last}` : `${since} to ${last}`
  return since === undefined ? "" : `from ${since}`
}

const link = ({ file, name }: Test): string => `[${file.replace(/^.*\/|\.test\.ts$/g, "")}](../${file}) "${cell(name)}"`

/** The endpoints that are not simply there. */
export function renderSummary(joined: readonly Joined[]): string {
  const others = sorted(joined).filter(({ entry, declaration }) => {
    return !isCommand(entry) && partOf(entry.name) === "" && declaration.verdict !== "works"
  })
  const lines = others.map(({ entry, declaration }) => {
    return row(`\`${entry.name}\``, declaration.verdict, cell(declaration.text))
  })
  return [BEGIN, "| endpoint | | |", "|---|---|---|", ...lines, END].join("\n")
}
