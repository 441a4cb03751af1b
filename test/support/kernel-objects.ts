// What the kernel and the process table hold on behalf of one engine, told by the names that only this engine uses.
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

export function mountsBelow(directory: string): string[] {
  return readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((path) => path === directory || path.startsWith(`${directory}/`))
}

export function cgroupsOf(parent: string): string[] {
  const found = new Set<string>()
  for (const hierarchy of readdirSync("/sys/fs/cgroup")) {
    const directory = join("/sys/fs/cgroup", hierarchy, parent)
    if (!existsSync(directory)) continue
    for (const entry of readdirSync(directory, { withFileTypes: true })) if (entry.isDirectory()) found.add(entry.name)
  }
  return [...found]
}

/** Command lines of processes that name `word`; zombies have none. */
export function processesNaming(word: string): { readonly pid: number; readonly argv: readonly string[] }[] {
  const found: { pid: number; argv: string[] }[] = []
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1)
      if (argv.some((argument) => argument.includes(word))) found.push({ pid: Number(pid), argv })
    } catch {
      // It ended while we looked.
    }
  }
  return found
}

/** conmons of an engine: what they look after, and whether that is an exec. */
export function conmons(execRoot: string): { readonly container: string; readonly exec: string | undefined }[] {
  return processesNaming(execRoot)
    .filter(({ argv }) => argv[0]?.endsWith("conmon"))
    .map(({ argv }) => {
      const after = (flag: string): string => argv[argv.indexOf(flag) + 1] ?? ""
      return { container: after("--cid"), exec: argv.includes("--exec") ? after("--cuuid") : undefined }
    })
}

/** Interfaces that are plugged into a bridge. */
export function bridgePorts(bridge: string): string[] {
  const directory = `/sys/class/net/${bridge}/brif`
  return existsSync(directory) ? readdirSync(directory) : []
}

/** "address:port" of every IPv4 address that the bridge's table leads published ports to. */
export function publishedTargets(bridge: string): string[] {
  const { stdout } = Bun.spawnSync(["nft", "list", "table", "inet", bridge], { stderr: "ignore" })
  return [...stdout.toString().matchAll(/: (\d+\.\d+\.\d+\.\d+) \. (\d+)/g)].map(
    ([, address, port]) => `${address}:${port}`,
  )
}

/** Everything on this machine that still names the engine. Nothing does after `destroy`. */
export function remains(engine: { root: string; bridge: string; cgroupParent: string }): string[] {
  const rules = ["iptables-save", "ip6tables-save"].flatMap((command) => lines([command]))
  const tables = lines(["nft", "list", "tables"])
  return [
    ...mountsBelow(engine.root).map((path) => `mount ${path}`),
    ...processesNaming(engine.root).map(({ pid, argv }) => `process ${pid} ${argv.join(" ")}`),
    ...cgroupsOf(engine.cgroupParent).map((name) => `cgroup ${name}`),
    ...readdirSync("/sys/class/net").filter((name) => name === engine.bridge),
    ...[...rules, ...tables].filter((line) => line.split(/\s+/).includes(engine.bridge)),
    ...(existsSync(engine.root) ? [`directory ${engine.root}`] : []),
  ]
}

function lines(command: string[]): string[] {
  if (Bun.which(command[0] ?? "") === null) return []
  return Bun.spawnSync(command, { stderr: "ignore" }).stdout.toString().split("\n")
}
