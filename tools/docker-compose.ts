// Docker's compose plugin for the system tests: the one installed, or else Debian's, from a suite newer than this machine
// may be, unpacked into .cache without being installed. The mirror and the keyring are those of the machine's apt sources.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { formatDeb822, partsOf, readAptSources } from "../src/engine/images/distro/apt-sources.ts"
import { suiteOfHost } from "../src/engine/images/distro/package-archive.ts"

/** Where docker's client looks for plugins, and where Debian's package has it. */
const INSTALLED = [
  "/usr/local/lib/docker/cli-plugins",
  "/usr/local/libexec/docker/cli-plugins",
  "/usr/lib/docker/cli-plugins",
  "/usr/libexec/docker/cli-plugins",
]
/** Suites that have a compose of version 2 worth testing with; the release before it has none. */
const SUITES = ["testing", "unstable"]
const PLACE = "usr/libexec/docker/cli-plugins"

function works(program: string): boolean {
  try {
    const { exitCode, stdout } = Bun.spawnSync([program, "version", "--short"], { stderr: "ignore" })
    return exitCode === 0 && /^v?2\.(?:2[4-9]|[3-9]\d)/.test(stdout.toString().trim())
  } catch {
    return false
  }
}

/** Path of the program, or undefined where it cannot be had. */
export function dockerComposeProgram(root: string): string | undefined {
  const installed = INSTALLED.map((directory) => join(directory, "docker-compose")).find(
    (path) => existsSync(path) && works(path),
  )
  if (installed !== undefined) return installed
  const cached = join(root, ".cache/docker-compose", PLACE, "docker-compose")
  if (existsSync(cached)) return cached
  if (Bun.which("apt-get") === null) return undefined
  console.error("Fetching Debian's docker compose for the tests, without installing it")
  for (const suite of SUITES) if (unpack(suite, join(root, ".cache/docker-compose"))) return cached
  return undefined
}

function unpack(suite: string, target: string): boolean {
  const directory = mkdtempSync(join(tmpdir(), "docker-compose-"))
  try {
    const archive = download(suite, directory)
    const tree = join(directory, "tree")
    if (archive === undefined || Bun.spawnSync(["dpkg-deb", "-x", archive, tree]).exitCode !== 0) return false
    if (!works(join(tree, PLACE, "docker-compose"))) return false
    rmSync(target, { recursive: true, force: true })
    mkdirSync(dirname(target), { recursive: true })
    // The temporary directory may lie on another file system, where rename fails.
    if (Bun.spawnSync(["cp", "-a", tree, `${target}.new`]).exitCode !== 0) return false
    renameSync(`${target}.new`, target)
    return true
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** The package's archive, by an apt with a state of its own: the machine's does not come to know the newer suite. */
function download(suite: string, directory: string): string | undefined {
  for (const part of ["state/lists/partial", "cache/archives/partial"])
    mkdirSync(join(directory, part), { recursive: true })
  writeFileSync(join(directory, "status"), "")
  try {
    const [main] = partsOf(readAptSources(), suite, suiteOfHost())
    writeFileSync(join(directory, "debian.sources"), formatDeb822(main === undefined ? [] : [main]))
  } catch (error) {
    console.error(String(error))
    return undefined
  }
  const options = [
    `Dir::State=${join(directory, "state")}`,
    `Dir::State::status=${join(directory, "status")}`,
    `Dir::Cache=${join(directory, "cache")}`,
    `Dir::Etc::SourceList=${join(directory, "debian.sources")}`,
    "Dir::Etc::SourceParts=/dev/null",
    "Dir::Etc::Preferences=/dev/null",
    "Dir::Etc::PreferencesParts=/dev/null",
    "APT::Sandbox::User=root",
    "Acquire::Languages=none",
    // A mirror that lags behind: for a program of the tests that does not matter.
    "Acquire::Check-Valid-Until=false",
    "Acquire::Retries=2",
  ].flatMap((option) => ["-o", option])
  for (const words of [["update"], ["download", "docker-compose"]]) {
    const { exitCode, stderr } = Bun.spawnSync(["apt-get", "-qq", ...options, ...words], { cwd: directory })
    if (exitCode === 0) continue
    console.error(`apt-get ${words.join(" ")} (${suite}): ${stderr.toString().trim().split("\n").at(-1)}`)
    return undefined
  }
  const archive = readdirSync(directory).find((file) => file.endsWith(".deb"))
  return archive === undefined ? undefined : join(directory, archive)
}
