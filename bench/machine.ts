// What the numbers were measured on.
import { readFileSync } from "node:fs"
import { availableParallelism, loadavg, release, totalmem } from "node:os"
import type { Engine } from "./engines/engine.ts"
import type { Floor } from "./engines/floor.ts"

function field(path: string, pattern: RegExp): string {
  return pattern.exec(readFileSync(path, "utf8"))?.[1]?.trim() ?? "unknown"
}

function fileSystem(directory: string): string {
  const { stdout } = Bun.spawnSync(["df", "--output=fstype", directory])
  return stdout.toString().split("\n")[1] ?? "unknown"
}

/** Lines of a Markdown list. */
export function describeMachine(directory: string, floor: Floor, engines: readonly Engine[]): string[] {
  const processor = field("/proc/cpuinfo", /^model name\s*:\s*(.*)$/m)
  const system = field("/etc/os-release", /^PRETTY_NAME="?([^"\n]*)/m)
  const virtual = /^flags\s*:.*\bhypervisor\b/m.test(readFileSync("/proc/cpuinfo", "utf8"))
    ? ", in a virtual machine"
    : ""
  return [
    `- ${availableParallelism()} × ${processor}${virtual}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB of memory`,
    `- ${system}, Linux ${release()}, state on ${fileSystem(directory)}, load ${loadavg()[0]?.toFixed(1)} at the end`,
    `- floor: ${floor.version}`,
    ...engines.map(({ name, version }) => `- ${name} ${version}`),
  ]
}
