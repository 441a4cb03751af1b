// A docker client for the system tests: the one on PATH, or else Debian's, unpacked into .cache without being installed,
// since installing docker.io would start another engine on the machine.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"

/** Debian 13 and later have the client apart; in Debian 12 it is part of the engine's package. */
const PACKAGES = ["docker-cli", "docker.io"] as const

function works(program: string): boolean {
  return Bun.spawnSync([program, "--version"], { stdout: "ignore", stderr: "ignore" }).exitCode === 0
}

/** Directory to put in front of PATH ("" where docker is there already), or undefined where no client can be had. */
export function dockerCliDirectory(root: string): string | undefined {
  const onPath = Bun.which("docker")
  if (onPath !== null && works(onPath)) return ""
  const cached = join(root, ".cache/docker-cli/usr/bin")
  if (existsSync(join(cached, "docker"))) return cached
  if (Bun.which("apt-get") === null) return undefined
  console.error("Fetching Debian's docker client for the tests, without installing it")
  for (const name of PACKAGES) if (unpack(name, dirname(dirname(cached)))) return cached
  return undefined
}

function unpack(name: string, target: string): boolean {
  const directory = mkdtempSync(join(tmpdir(), "docker-cli-"))
  try {
    const download = Bun.spawnSync(["apt-get", "download", "-q", name], { cwd: directory, stderr: "ignore" })
    const archive = readdirSync(directory).find((file) => file.endsWith(".deb"))
    if (download.exitCode !== 0 || archive === undefined) return false
    const tree = join(directory, "tree")
    if (Bun.spawnSync(["dpkg-deb", "-x", join(directory, archive), tree]).exitCode !== 0) return false
    if (!existsSync(join(tree, "usr/bin/docker")) || !works(join(tree, "usr/bin/docker"))) return false
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
