// Shape of the files: short, each opening with a comment that says what it is, and every dependency explained.
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"

const WARN_LINES = 350
const FAIL_LINES = 600

export type Findings = { readonly problems: string[]; readonly warnings: string[] }

export function checkShape(path: string, text: string): Findings {
  const problems: string[] = []
  const warnings: string[] = []
  const lines = text.split("\n").length - 1
  if (lines > FAIL_LINES) problems.push(`${path}: ${lines} lines, ${FAIL_LINES} are the limit`)
  else if (lines > WARN_LINES) warnings.push(`${path}: ${lines} lines, more than ${WARN_LINES} is hard to read`)
  const isTest = path.endsWith(".test.ts") || path.endsWith(".d.ts")
  if (!isTest && !/^(#!.*\n)?(\/\/|\/\*)/.test(text))
    problems.push(`${path}: does not open with a comment saying what it is`)
  return { problems, warnings }
}

/** Names of run-time dependencies that docs/dependencies.md has no heading or table row for. */
export function unexplained(dependencies: readonly string[], document: string): string[] {
  return dependencies.filter((name) => !document.includes(`\`${name}\``))
}

export function checkFiles(root: string): Findings {
  const problems: string[] = []
  const warnings: string[] = []
  for (const path of new Bun.Glob("{src,test,tools,bench}/**/*.ts").scanSync({ cwd: root })) {
    const found = checkShape(path, readFileSync(join(root, path), "utf8"))
    problems.push(...found.problems)
    warnings.push(...found.warnings)
  }
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    dependencies?: Record<string, string>
    devDependencies?: Record<string, string>
  }
  const document = join(root, "docs/dependencies.md")
  const text = existsSync(document) ? readFileSync(document, "utf8") : ""
  const names = [...Object.keys(manifest.dependencies ?? {}), ...Object.keys(manifest.devDependencies ?? {})]
  for (const name of unexplained(names, text))
    problems.push(`package.json: "${name}" has no line in docs/dependencies.md`)
  return { problems: problems.sort(), warnings: warnings.sort() }
}
