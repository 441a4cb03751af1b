// What the benchmark asks of an engine: a command line like docker's, and which processes are its own.
import { existsSync, readdirSync, readFileSync } from "node:fs"

/** Reference under which every engine gets the same small image. */
export const IMAGE = "bench/busybox:latest"

export type Engine = {
  readonly name: string
  readonly version: string
  /** The client with the options that lead to this engine; "run", "ps" and so on follow. */
  readonly cli: readonly string[]
  /** The client alone, for the time it takes to start. */
  readonly client: string
  /** Further options of `run` and `create`. */
  readonly runOptions: readonly string[]
  /** Further options of `rm -f`, so that all of them kill at once. */
  readonly removeOptions: readonly string[]
  /** Further options of `pull` and `push` for a registry without TLS. */
  readonly registryOptions: readonly string[]
  /** Whether `load` takes a docker-archive that is compressed with gzip: podman of Debian 12 fails on every one. */
  readonly loadsGzip: boolean
  /** Directory of everything it stores. */
  readonly storage: string
  /** Processes that serve all containers; none where there is no daemon. */
  daemons(): readonly number[]
  /** Processes that live as long as one container, without those inside it. */
  monitors(): readonly number[]
  close(): Promise<void>
}

/** Process ids whose command line makes the test true. */
export function processes(test: (program: string, commandLine: string) => boolean): number[] {
  const found: number[] = []
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue
    try {
      const commandLine = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ")
      if (test(readFileSync(`/proc/${name}/comm`, "utf8").trim(), commandLine)) found.push(Number(name))
    } catch {
      // It ended while we looked.
    }
  }
  return found
}

/** Bytes of memory of one process: VmRSS, or its proportional share of what it has in common with others. */
export function memory(pid: number, kind: "rss" | "pss"): number {
  const [path, name] = kind === "rss" ? ["status", "VmRSS"] : ["smaps_rollup", "Pss"]
  const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(readFileSync(`/proc/${pid}/${path}`, "utf8"))?.[1]
  return Number(kibibytes ?? 0) * 1024
}

export function totalMemory(pids: readonly number[], kind: "rss" | "pss"): number {
  return pids.reduce((sum, pid) => sum + memory(pid, kind), 0)
}

/** Waits for a daemon's socket; throws with the end of its log when the daemon ends first or takes too long. */
export async function untilExists(path: string, daemon: Bun.Subprocess, logFile: string): Promise<void> {
  const deadline = Date.now() + 30_000
  while (!existsSync(path)) {
    if (daemon.exitCode !== null || Date.now() > deadline)
      throw new Error(`No "${path}" from the daemon: ${readFileSync(logFile, "utf8").slice(-1500)}`)
    await Bun.sleep(20)
  }
}

/** Asks a daemon of ours to end and waits; kills it when it does not within ten seconds. */
export async function end(daemon: Bun.Subprocess): Promise<void> {
  if (daemon.exitCode !== null) return
  daemon.kill("SIGTERM")
  await Promise.race([daemon.exited, Bun.sleep(10_000)])
  if (daemon.exitCode === null) daemon.kill("SIGKILL")
  await daemon.exited
}
