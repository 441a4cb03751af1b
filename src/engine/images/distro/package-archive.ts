// One package of this machine's suite for any architecture: apt checks the signature of the mirror's lists and the
// checksum of the archive, in a state directory of its own, so that the host's knows nothing of foreign architectures.
import { mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DhowError } from "../../../lib/errors.ts"
import { readIfExists } from "../../../lib/files.ts"
import { formatDeb822, partsOf, readAptSources } from "./apt-sources.ts"
import type { RecipeOptions } from "./distribution.ts"
import { run } from "./run.ts"

export type WantedPackage = {
  readonly name: string
  readonly architecture: string
  /** The version that this host itself has, if it has one. */
  readonly ownVersion: string | undefined
}

export type PackageArchive = { readonly path: string; readonly version: string }

/**
 * Somewhere below the build's directory. Where some of the mirror's lists cannot be had, only the version that this host
 * has itself will do: an older one may lack a security fix that the missing list is about.
 */
export async function fetchPackage(
  { name, architecture, ownVersion }: WantedPackage,
  { directory, progress, signal }: RecipeOptions,
): Promise<PackageArchive> {
  const root = join(directory, `apt-${architecture}`)
  for (const part of ["state/lists/partial", "cache/archives/partial"])
    mkdirSync(join(root, part), { recursive: true, mode: 0o755 })
  writeFileSync(join(root, "status"), "")
  writeFileSync(join(root, "debian.sources"), formatDeb822(partsOf(readAptSources(), suiteOfHost(), suiteOfHost())))
  const options = [
    `Dir::State=${join(root, "state")}`,
    `Dir::State::status=${join(root, "status")}`,
    `Dir::Cache=${join(root, "cache")}`,
    `Dir::Etc::SourceList=${join(root, "debian.sources")}`,
    "Dir::Etc::SourceParts=/dev/null",
    "Dir::Etc::Preferences=/dev/null",
    "Dir::Etc::PreferencesParts=/dev/null",
    `APT::Architecture=${architecture}`,
    `APT::Architectures=${architecture}`,
    "APT::Sandbox::User=root",
    // What the host's configuration may allow for itself is not for images.
    "APT::Get::AllowUnauthenticated=false",
    "Acquire::AllowInsecureRepositories=false",
    "Acquire::AllowWeakRepositories=false",
    "Acquire::AllowDowngradeToInsecureRepositories=false",
    "Acquire::Languages=none",
    "Acquire::Retries=2",
  ].flatMap((option) => ["-o", option])
  const apt = async (...words: readonly string[]): Promise<DhowError | undefined> => {
    const { status, stderr } = await run(["apt-get", "-qq", ...options, ...words], { cwd: root, signal })
    if (status === 0) return undefined
    const reason = /^E: (.*)$/m.exec(stderr)?.[1] ?? stderr.trim().split("\n").at(-1) ?? ""
    return new DhowError("unavailable", `Cannot download the package "${name}" for ${architecture}: ${reason}`, {
      hint: "apt-get update on this machine should work, and its mirror have the architecture",
    })
  }
  progress({ id: name, status: `Asking the package mirror for ${architecture}` })
  const incomplete = await apt("update")
  if (incomplete !== undefined && ownVersion === undefined) throw incomplete
  progress({ id: name, status: "Downloading" })
  const failure = await apt("download", name)
  if (failure !== undefined) throw incomplete ?? failure
  const archive = readdirSync(root).find((file) => file.endsWith(".deb"))
  if (archive === undefined) throw new DhowError("unavailable", `The mirror gave no package "${name}"`)
  const path = join(root, archive)
  const { stdout } = await run(["dpkg-deb", "--field", path, "Version"], { signal })
  const version = stdout.trim()
  if (incomplete !== undefined && sourceVersion(version) !== sourceVersion(ownVersion!)) throw incomplete
  return { path, version }
}

/** Without the mark of a rebuild, which each architecture has its own of. */
function sourceVersion(version: string): string {
  return version.replace(/\+b\d+$/, "")
}

/** The codename of this machine's own suite. */
export function suiteOfHost(): string {
  return /^VERSION_CODENAME=(\S+)$/m.exec(readIfExists("/etc/os-release") ?? "")?.[1] ?? "stable"
}
