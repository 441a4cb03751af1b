// npm run surface: writes docs/api.md and the summary in docs/compatibility.md. The gate calls checkSurface instead, which
// writes nothing and says what is missing, untested or stale.
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type Declaration, joinEntries, readDeclarations } from "./declarations.ts"
import { COMMANDS, REFERENCE } from "./reference.ts"
import { BEGIN, END, renderPage, renderSummary } from "./render.ts"

const PAGE = "docs/api.md"
const SUMMARY = "docs/compatibility.md"

type Page = { readonly path: string; readonly text: string }

function build(root: string): {
  readonly pages: readonly Page[]
  readonly problems: readonly string[]
  readonly counts: ReadonlyMap<string, number>
} {
  const { declarations, problems } = readDeclarations(join(import.meta.dir, "declared"))
  const { joined, problems: unmatched } = joinEntries([...REFERENCE.entries, ...COMMANDS.entries], declarations)
  const document = readFileSync(join(root, SUMMARY), "utf8")
  const [before = "", rest = ""] = document.split(BEGIN)
  const after = rest.split(END)[1] ?? ""
  const counts = new Map<string, number>()
  for (const { declaration } of joined) counts.set(declaration.verdict, (counts.get(declaration.verdict) ?? 0) + 1)
  return {
    counts,
    pages: [
      { path: PAGE, text: renderPage(REFERENCE, COMMANDS.client, joined) },
      { path: SUMMARY, text: before + renderSummary(joined) + after },
    ],
    problems: [...problems, ...unmatched, ...declarations.flatMap((declaration) => untested(root, declaration))],
  }
}

/** What is said without a test, or with one that is not there. */
export function untested(root: string, { entry, verdict, text, tests, at }: Declaration): string[] {
  const problems = tests.length === 0 ? [`${at}: "${verdict}" without a test`] : []
  if (verdict !== "works" && text === "") problems.push(`${at}: "${verdict}" without a word why or how`)
  for (const { file, name } of tests) {
    const path = join(root, file)
    const source = existsSync(path) ? readFileSync(path, "utf8") : ""
    const isThere =
      ['"', "'", "`"].some((quote) => source.includes(quote + name + quote)) || source.includes(`def ${name}(`)
    if (!isThere) problems.push(`${at}: ${file} has no test "${name}"`)
    // A command's test says its words: that much can be seen from here.
    const words = entry.startsWith("docker ") ? entry.split(" ").slice(1) : []
    const missing = words.find((word) => !source.includes(`"${word}"`))
    if (missing !== undefined) problems.push(`${at}: ${file} never says "${missing}"`)
  }
  return problems
}

export function checkSurface(root: string): readonly string[] {
  const { pages, problems } = build(root)
  const isCurrent = ({ path, text }: Page): boolean =>
    existsSync(join(root, path)) && readFileSync(join(root, path), "utf8") === text
  const stale = pages.filter((page) => !isCurrent(page)).map(({ path }) => `${path} is stale: npm run surface`)
  return [...problems, ...stale]
}

if (import.meta.main) {
  const root = join(import.meta.dir, "../..")
  const { pages, problems, counts } = build(root)
  for (const { path, text } of pages) writeFileSync(join(root, path), text)
  for (const problem of problems) console.error(problem)
  console.log(["works", "differs", "refused"].map((verdict) => `${counts.get(verdict) ?? 0} ${verdict}`).join(", "))
  process.exit(problems.length === 0 ? 0 : 1)
}
