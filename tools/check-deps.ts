// The import check: every import between the folders of src must be allowed by the table in ARCHITECTURE.md, and no
// files may import one another in a circle. Importing a type is knowing it, so the table holds for `import type` too;
// circles are counted among plain imports only: types are gone at run time, and import() comes when all is loaded.
import { readFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"

export type Import = { readonly from: string; readonly to: string; readonly kind: "static" | "type" | "late" }
export type Table = ReadonlyMap<string, ReadonlySet<string>>

const STATEMENT = /^(import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?["']([^"']+)["']/gm
const DYNAMIC = /\bimport\(\s*["']([^"']+)["']\s*\)/g

/** Rows "| `folder` | `other` `another` |"; "everything" stands for all rows. */
export function parseTable(markdown: string): Table {
  const table = new Map<string, Set<string>>()
  const lines = markdown.split("\n")
  const head = lines.findIndex((line) => /^\|\s*folder\s*\|\s*may import\s*\|/.test(line))
  if (head < 0) throw new Error('No table "| folder | may import |" in ARCHITECTURE.md')
  for (const line of lines.slice(head + 2)) {
    if (!line.startsWith("|")) break
    const [, folders = "", allowed = ""] = line.split("|")
    for (const folder of names(folders)) table.set(folder, new Set(names(allowed)))
    if (allowed.includes("everything")) for (const folder of names(folders)) table.set(folder, new Set(["*"]))
  }
  return table
}

function names(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? "")
}

/** The imports of files of ours in one source text, as paths relative to `root`. */
export function importsOf(root: string, path: string, text: string): Import[] {
  const found: Import[] = []
  const add = (specifier: string | undefined, kind: Import["kind"]): void => {
    if (specifier?.startsWith(".") !== true) return
    found.push({ from: path, to: relative(root, join(root, dirname(path), specifier)), kind })
  }
  for (const [, , type, specifier] of text.matchAll(STATEMENT)) add(specifier, type === undefined ? "static" : "type")
  for (const [, specifier] of text.matchAll(DYNAMIC)) add(specifier, "late")
  return found
}

/** "src/engine/images/pull.ts" belongs to "engine", "src/daemon.ts" to "daemon.ts"; what is outside src to nothing. */
export function folderOf(path: string): string | undefined {
  const [top, folder] = path.split("/")
  return top === "src" ? folder?.replace(/\.test\.ts$/, ".ts") : undefined
}

export function forbidden(table: Table, imports: readonly Import[]): string[] {
  const problems: string[] = []
  for (const { from, to } of imports) {
    const source = folderOf(from)
    const target = folderOf(to)
    if (source === undefined || source === target) continue
    if (target === undefined) {
      if (to !== "package.json") problems.push(`${from} imports "${to}", which is outside src`)
      continue
    }
    const allowed = table.get(source)
    if (allowed === undefined) problems.push(`${from}: folder "${source}" is not in the table of ARCHITECTURE.md`)
    else if (!allowed.has(target) && !allowed.has("*"))
      problems.push(`${from} imports "${to}": "${source}" may not import "${target}"`)
  }
  return [...new Set(problems)]
}

/** Every circle of imports, once, as the list of its files. */
export function cycles(imports: readonly Import[]): string[][] {
  const targets = Map.groupBy(
    imports.filter((one) => one.kind === "static"),
    (one) => one.from,
  )
  const found: string[][] = []
  const finished = new Set<string>()
  const trail: string[] = []
  const visit = (file: string): void => {
    const start = trail.indexOf(file)
    if (start >= 0) {
      found.push(trail.slice(start))
      return
    }
    if (finished.has(file)) return
    trail.push(file)
    for (const { to } of targets.get(file) ?? []) visit(to)
    trail.pop()
    finished.add(file)
  }
  for (const file of targets.keys()) visit(file)
  return found
}

export function checkDeps(root: string): string[] {
  const table = parseTable(readFileSync(join(root, "ARCHITECTURE.md"), "utf8"))
  const imports: Import[] = []
  for (const path of new Bun.Glob("src/**/*.ts").scanSync({ cwd: root }))
    imports.push(...importsOf(root, path, readFileSync(join(root, path), "utf8")))
  return [
    ...forbidden(table, imports),
    ...cycles(imports).map((files) => `circle of imports: ${[...files, files[0]].join(" → ")}`),
  ]
}
