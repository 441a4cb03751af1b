// npm run check, the one gate: format and lint, types, imports, shape of files, unit tests. Silent about what is well;
// closes with one line.
import { join } from "node:path"
import { checkDeps } from "./check-deps.ts"
import { checkFiles } from "./check-files.ts"
import { runTests, summary } from "./run-tests.ts"
import { checkSurface } from "./surface/main.ts"

type Outcome = { readonly ok: boolean; readonly output: string; readonly detail?: string }

const root = join(import.meta.dir, "..")

async function program(...command: readonly string[]): Promise<Outcome> {
  const child = Bun.spawn([...command], { cwd: root, stdin: "ignore", stdout: "pipe", stderr: "pipe" })
  const [exitCode, out, error] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  return { ok: exitCode === 0, output: out + error }
}

const STEPS: Readonly<Record<string, () => Promise<Outcome>>> = {
  biome: () => program("node_modules/.bin/biome", "check", "--error-on-warnings", "."),
  tsc: () => program("node_modules/.bin/tsc"),
  imports: async () => {
    const problems = checkDeps(root)
    return { ok: problems.length === 0, output: problems.join("\n") }
  },
  files: async () => {
    const { problems, warnings } = checkFiles(root)
    for (const warning of warnings) console.error(`warning: ${warning}`)
    return { ok: problems.length === 0, output: problems.join("\n") }
  },
  surface: async () => {
    const problems = checkSurface(root)
    return { ok: problems.length === 0, output: problems.join("\n") }
  },
  tests: async () => {
    const { counts, output } = await runTests(root, ["./src/", "./tools/"], { quiet: true })
    return { ok: counts.failed === 0, output, detail: summary(counts) }
  },
}

const failed: string[] = []
const details: string[] = []
for (const [name, step] of Object.entries(STEPS)) {
  const { ok, output, detail } = await step()
  if (detail !== undefined) details.push(detail)
  if (ok) continue
  failed.push(name)
  console.error(`--- ${name}\n${output.trimEnd()}\n`)
}

const tests = details.length > 0 ? ` (unit tests: ${details.join(", ")})` : ""
console.log(failed.length === 0 ? `check: all well${tests}` : `check: ${failed.join(", ")} failed${tests}`)
process.exit(failed.length === 0 ? 0 : 1)
