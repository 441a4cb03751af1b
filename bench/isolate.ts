// The benchmark runs in namespaces of its own: engines write their bridges, packet filter rules and mounts there, and
// whatever they leave behind ends with the last process. Directories and cgroups are removed afterwards from outside.
import { mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const CGROUP_PARENTS = ["dhow-bench", "libpod_parent"]

/** Inside, the directory to work in; outside, undefined. */
export function isolatedDirectory(): string | undefined {
  return process.env["DHOW_BENCH_DIRECTORY"]
}

/** Runs this program once more, isolated; returns its exit status when everything is cleaned up. */
export async function runIsolated(): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), "dhow-bench-"))
  // Docker's client keeps its configuration there, podman parts of its state.
  const home = join(directory, "home")
  mkdirSync(home)
  try {
    const child = Bun.spawn(
      [
        "unshare",
        ...[
          "--net",
          "--mount",
          "--pid",
          "--ipc",
          "--uts",
          "--fork",
          "--kill-child",
          "--mount-proc",
          "--propagation",
          "private",
        ],
        // Process 1 of the namespace has to reap what the engines' monitors leave.
        ...["catatonit", "--", process.execPath, ...process.execArgv, ...process.argv.slice(1)],
      ],
      {
        env: { ...process.env, HOME: home, DHOW_BENCH_DIRECTORY: directory },
        stdin: "ignore",
        stdout: "inherit",
        stderr: "inherit",
      },
    )
    // unshare ignores the gentle ones; with it every process inside dies.
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill("SIGKILL"))
    return await child.exited
  } finally {
    removeCgroups()
    rmSync(directory, { recursive: true, force: true })
  }
}

/**
 * First steps inside: a /run of our own, so that no engine meets another's files there, a sysfs
 * that shows this network, and the loopback interface.
 */
export function enter(): void {
  for (const command of [
    ["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"],
    // A sysfs shows the interfaces of the namespace it was mounted in; the cgroups below it are carried over.
    ["mkdir", "/run/cgroup"],
    ["mount", "--rbind", "/sys/fs/cgroup", "/run/cgroup"],
    ["mount", "-t", "sysfs", "sysfs", "/sys"],
    ["mount", "--rbind", "/run/cgroup", "/sys/fs/cgroup"],
    ["umount", "--recursive", "/run/cgroup"],
    ["ip", "link", "set", "lo", "up"],
    ["sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"],
  ]) {
    const { exitCode, stderr } = Bun.spawnSync(command, { stderr: "pipe" })
    if (exitCode !== 0) throw new Error(`"${command.join(" ")}" failed: ${stderr.toString().trim()}`)
  }
}

function removeCgroups(): void {
  const hierarchies = readdirSync("/sys/fs/cgroup").map((name) => join("/sys/fs/cgroup", name))
  for (const hierarchy of ["/sys/fs/cgroup", ...hierarchies])
    for (const parent of CGROUP_PARENTS) removeTree(join(hierarchy, parent))
}

/** Only rmdir works on a cgroup, children first; one in use stays. */
function removeTree(path: string): void {
  try {
    for (const entry of readdirSync(path, { withFileTypes: true }))
      if (entry.isDirectory()) removeTree(join(path, entry.name))
    rmdirSync(path)
  } catch {
    // Not there, or somebody else's.
  }
}
