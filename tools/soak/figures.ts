// What an engine holds at one moment: memory, descriptors, and what the kernel and the disk keep for it.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import type { TestEngine } from "../../test/support/engine.ts"
import { bridgePorts, cgroupsOf, conmons, mountsBelow, processesNaming } from "../../test/support/kernel-objects.ts"

export type Figures = {
  /** Resident bytes of the daemon. */
  readonly memory: number
  readonly descriptors: number
  readonly threads: number
  /** Processes that name the engine's directory, the daemon apart: conmons, helpers. */
  readonly processes: number
  readonly monitors: number
  readonly mounts: number
  readonly cgroups: number
  readonly namespaces: number
  readonly interfaces: number
  /** Lines of the engine's own packet filter table. */
  readonly rules: number
  /** Directories of containers and of their runs, execs and exit files. */
  readonly stateFiles: number
  readonly snapshots: number
  readonly volumes: number
  /** Bytes of the database with its write-ahead log. */
  readonly database: number
}

export function readFigures(engine: TestEngine): Figures {
  const { dataRoot, execRoot, pid } = engine
  const status = readFileSync(`/proc/${pid}/status`, "utf8")
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0)
  return {
    memory: field("VmRSS") * 1024,
    descriptors: entries(`/proc/${pid}/fd`),
    threads: field("Threads"),
    processes: processesNaming(engine.root).filter((process) => process.pid !== pid).length,
    monitors: conmons(execRoot).length,
    mounts: mountsBelow(engine.root).length,
    cgroups: cgroupsOf(engine.cgroupParent).length,
    namespaces: entries(join(execRoot, "netns")),
    interfaces: bridgePorts(engine.bridge).length,
    rules: rules(engine.bridge),
    stateFiles: ["containers", "execs", "exits", "runtime-crun"]
      .map((name) => entries(join(execRoot, name)))
      .concat(entries(join(dataRoot, "containers")))
      .reduce((sum, count) => sum + count, 0),
    snapshots: entries(join(dataRoot, "snapshots")) + entries(join(dataRoot, "snapshots/.trash")),
    volumes: entries(join(dataRoot, "volumes")),
    database: ["", "-wal", "-shm"]
      .map((end) => size(join(dataRoot, `dhow.db${end}`)))
      .reduce((sum, bytes) => sum + bytes),
  }
}

function rules(bridge: string): number {
  return Bun.spawnSync(["nft", "list", "table", "ip", bridge], { stderr: "ignore" }).stdout.toString().split("\n")
    .length
}

function entries(directory: string): number {
  return existsSync(directory) ? readdirSync(directory).length : 0
}

function size(path: string): number {
  return existsSync(path) ? statSync(path).size : 0
}
