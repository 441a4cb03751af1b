// npm run build: src/main.ts and all it imports become the one-file executable dist/dhow, replaced in one rename.
// Its modification time is the moment the build began, so that an edit made meanwhile counts as newer.
import { mkdirSync, renameSync, rmSync, utimesSync } from "node:fs"
import { join } from "node:path"

const root = join(import.meta.dir, "..")
const dist = join(root, "dist")
const output = join(dist, "dhow")
const temporary = join(dist, `.dhow-${process.pid}`)

function git(...args: readonly string[]): string | undefined {
  if (Bun.which("git") === null) return undefined
  const result = Bun.spawnSync(["git", "-C", root, ...args], { stderr: "ignore" })
  return result.exitCode === 0 ? result.stdout.toString().trim() : undefined
}

function commit(): string {
  const head = git("rev-parse", "--short=12", "HEAD")
  if (head === undefined) return "unknown"
  return git("status", "--porcelain", "--", "src", "package.json") === "" ? head : `${head}-dirty`
}

async function build(): Promise<void> {
  const began = new Date()
  mkdirSync(dist, { recursive: true })
  try {
    await Bun.build({
      entrypoints: [join(root, "src/main.ts")],
      target: "bun",
      format: "esm",
      // Without it all modules become one, and every command loads what only the daemon needs (node:http alone: 10 ms).
      splitting: true,
      minify: true,
      bytecode: true,
      compile: { outfile: temporary, autoloadDotenv: false, autoloadBunfig: false },
      define: { DHOW_COMMIT: JSON.stringify(commit()) },
    })
    utimesSync(temporary, began, began)
    renameSync(temporary, output)
  } finally {
    rmSync(temporary, { force: true })
  }
}

try {
  await build()
} catch (error) {
  const messages = error instanceof AggregateError ? error.errors : [error]
  for (const message of messages) console.error(String(message))
  console.error(`Cannot build "${output}": ${messages.length} problem(s) above`)
  process.exit(1)
}
