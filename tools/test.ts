// npm test: unit tests, then the system tests under test/, which need root, crun and a kernel; file by file, for they
// share the machine: those that only store and transfer images beside those that run containers. What they leave behind
// counts as a failure. Closes with "N passed, N failed", from what the runners counted.
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type HostState, leaks, readHostState } from "../test/support/host-state.ts"
import { dockerCliDirectory } from "./docker-cli.ts"
import { dockerComposeProgram } from "./docker-compose.ts"
import { type Counts, NONE, runTests, sum, summary } from "./run-tests.ts"

const root = join(import.meta.dir, "..")
/** Said once more at the end, where a long log is looked at first. */
const failures: string[] = []
/** Folders whose tests run beside all others, but for those that start an engine: it takes a subnet of the host's. */
const BESIDE = ["test/fuzz/", "test/images/", "test/registry/", "test/registry-server/", "test/snapshot/"]
/** Its engines wait for clients most of the time, and look at no networks but their own. */
const BESIDE_WITH_ENGINES = "test/compose/"

function runsBeside(file: string): boolean {
  if (file.startsWith(BESIDE_WITH_ENGINES)) return true
  return (
    BESIDE.some((folder) => file.startsWith(folder)) &&
    !/testEngine|TestEngine/.test(readFileSync(join(root, file), "utf8"))
  )
}

const isRoot = process.getuid?.() === 0

/** Files named on the command line, or all. */
function systemTests(): string[] {
  const all = [...new Bun.Glob("test/**/*.test.ts").scanSync({ cwd: root })].sort()
  const wanted = process.argv.slice(2)
  return wanted.length === 0 ? all : all.filter((path) => wanted.some((word) => path.includes(word)))
}

/** Waits until nothing new is there, for what ends on its own in a moment; then says what stayed. */
async function whatStays(before: HostState, directory: string): Promise<string[]> {
  const deadline = Date.now() + 10_000
  for (;;) {
    const left = leaks(before, readHostState(directory))
    if (left.length === 0 || Date.now() > deadline) return left
    await Bun.sleep(250)
  }
}

async function runSystemTests(): Promise<Counts> {
  const files = systemTests()
  if (files.length === 0) return NONE
  // Everything the tests make lies in one directory, so that its leftovers can be told from other people's files.
  const directory = mkdtempSync(join(tmpdir(), "dhow-test-"))
  chmodSync(directory, 0o755)
  const docker = dockerCliDirectory(root)
  if (docker === undefined) console.error("No docker client can be had: the tests that need one are skipped")
  if (files.some((file) => /compose/.test(file)) && dockerComposeProgram(root) === undefined)
    console.error("No docker compose can be had: the tests that need it are skipped")
  const environment: Record<string, string> = {
    TMPDIR: directory,
    PATH: [docker, process.env["PATH"], "/usr/local/sbin", "/usr/sbin", "/sbin"].filter(Boolean).join(":"),
  }
  const before = readHostState(directory)
  const beside = files.filter(runsBeside)
  const alone = files.filter((file) => !beside.includes(file))
  const inOneGo = beside.length === 0 || alone.length === 0
  const lane = async (list: readonly string[]): Promise<Counts> => {
    let counts = NONE
    for (const file of list) {
      if (inOneGo) console.error(`\n=== ${file}`)
      const result = await runTests(root, [`./${file}`], { environment, timeout: 60_000, quiet: !inOneGo })
      // Whole, so that the two do not mix.
      if (!inOneGo) console.error(`\n=== ${file}\n${result.output}`)
      counts = sum(counts, result.counts)
      failures.push(...result.failures)
    }
    return counts
  }
  const [one, other] = await Promise.all([lane(alone), lane(beside)])
  const counts = sum(one, other)
  const left = await whatStays(before, directory)
  failures.push(...left.map((line) => `left behind: ${line}`))
  try {
    rmSync(directory, { recursive: true, force: true })
  } catch (error) {
    // A mount that stayed, which is among the failures already: their list must come out.
    console.error(String(error))
  }
  return sum(counts, left.length === 0 ? { ...NONE, passed: 1 } : { ...NONE, failed: 1 })
}

/** The system tests as root through sudo: the same program once more, which skips the unit tests. */
function asRoot(): Counts {
  if (Bun.which("sudo") === null) {
    console.error("The system tests need root, and sudo is not installed: run npm test as root")
    return { ...NONE, failed: 1 }
  }
  console.error("The system tests need root: running them with sudo")
  const command = ["sudo", "--preserve-env", process.execPath, import.meta.path, ...process.argv.slice(2)]
  const { stdout } = Bun.spawnSync(command, {
    env: { ...process.env, DHOW_TEST: "system" },
    stdin: "inherit",
    stderr: "inherit",
  })
  const numbers = /(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$/.exec(stdout.toString())
  if (numbers === null) return { ...NONE, failed: 1 }
  return { passed: Number(numbers[1]), failed: Number(numbers[2]), skipped: Number(numbers[3] ?? 0) }
}

let counts = NONE
if (process.env["DHOW_TEST"] !== "system") {
  console.error("=== unit tests")
  const result = await runTests(root, ["./src/", "./tools/", "./bench/"])
  counts = sum(counts, result.counts)
  failures.push(...result.failures)
}
counts = sum(counts, isRoot ? await runSystemTests() : asRoot())
if (failures.length > 0) console.error(`\nfailed:\n${failures.map((line) => `  ${line}`).join("\n")}`)
console.log(summary(counts))
process.exit(counts.failed === 0 ? 0 : 1)
