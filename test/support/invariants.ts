// What must hold whenever an engine is idle: rows, mounts, cgroups, namespaces, interfaces, processes and directories
// tell the same story. Returns what does not agree, one line each.
import { Database } from "bun:sqlite"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { TestEngine } from "./engine.ts"

type Row = { id: string; name: string; status: string; intent: string | null; state: string }

export function disagreements(engine: TestEngine): string[] {
  const found: string[] = []
  const database = new Database(join(engine.dataRoot, "dhow.db"), { readonly: true })
  const column = (sql: string): string[] =>
    database
      .query<{ value: string }, []>(sql)
      .all()
      .map(({ value }) => value)
  const rows = database.query<Row, []>("SELECT id, name, status, intent, state FROM containers").all()
  const running = new Set(rows.filter(({ status }) => status === "running" || status === "paused").map(({ id }) => id))

  for (const row of rows) if (row.intent !== null) found.push(`row ${row.name} is still ${row.intent}`)
  for (const row of rows) {
    if (!running.has(row.id)) continue
    const { process } = JSON.parse(row.state) as { process: { pid: number } }
    if (!existsSync(`/proc/${process.pid}`)) found.push(`row ${row.name} runs, its process ${process.pid} does not`)
  }
  compare(found, "bundles", names(join(engine.execRoot, "containers")), [...running])
  compare(
    found,
    "root mounts",
    mountsBelow(join(engine.execRoot, "containers")),
    [...running].map((id) => join(engine.execRoot, "containers", id, "rootfs")),
  )
  compare(found, "cgroups", cgroupsOf(engine.cgroupParent), [...running])
  compare(
    found,
    "state directories",
    names(join(engine.dataRoot, "containers")),
    rows.map(({ id }) => id),
  )
  compare(found, "volumes", names(join(engine.dataRoot, "volumes")), column("SELECT name AS value FROM volumes"))
  compare(
    found,
    "snapshots",
    column("SELECT key AS value FROM snapshots"),
    rows.map(({ id }) => id),
  )
  compare(
    found,
    "blobs",
    names(join(engine.dataRoot, "content/sha256")),
    column("SELECT substr(digest, 8) AS value FROM blobs"),
  )
  compare(found, "monitors", conmons(engine.execRoot), [...running])
  const owners = column("SELECT owner AS value FROM network_namespaces WHERE owner IS NOT NULL")
  for (const owner of owners) if (!running.has(owner)) found.push(`network namespace of ${owner}, which does not run`)
  const keys = column("SELECT key AS value FROM network_namespaces")
  for (const name of names(join(engine.execRoot, "netns"))) {
    // The bridge's own anchor has no row.
    if (!keys.includes(name) && !/anchor|bridge/.test(name)) found.push(`namespace file ${name} without a row`)
  }
  for (const key of keys)
    if (!existsSync(join(engine.execRoot, "netns", key))) found.push(`namespace row ${key} without a file`)
  database.close()
  return found
}

/** Waits until nothing disagrees, for what goes on behind answers; throws what still does. */
export async function agree(engine: TestEngine, limit = 15_000): Promise<void> {
  const deadline = Date.now() + limit
  for (;;) {
    const found = disagreements(engine)
    if (found.length === 0) return
    if (Date.now() > deadline) throw new Error(`Not in agreement:\n${found.join("\n")}\n${engine.log().slice(-1500)}`)
    await Bun.sleep(50)
  }
}

function compare(found: string[], what: string, real: readonly string[], wanted: readonly string[]): void {
  for (const name of real) if (!wanted.includes(name)) found.push(`${what}: ${name} is there and no row names it`)
  for (const name of wanted) if (!real.includes(name)) found.push(`${what}: ${name} is missing`)
}

function names(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : []
}

function mountsBelow(directory: string): string[] {
  return readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((path) => path.startsWith(`${directory}/`))
}

function cgroupsOf(parent: string): string[] {
  const found = new Set<string>()
  for (const hierarchy of readdirSync("/sys/fs/cgroup")) {
    const directory = join("/sys/fs/cgroup", hierarchy, parent)
    if (!existsSync(directory)) continue
    for (const entry of readdirSync(directory, { withFileTypes: true })) if (entry.isDirectory()) found.add(entry.name)
  }
  return [...found]
}

/** Ids of the containers that conmons of this engine look after; execs are counted by their own id. */
function conmons(execRoot: string): string[] {
  const found: string[] = []
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")
      if (!argv[0]?.endsWith("conmon") || !argv.some((word) => word.startsWith(execRoot))) continue
      found.push(argv[argv.indexOf("--cid") + 1] ?? argv[argv.indexOf("-c") + 1] ?? `pid ${pid}`)
    } catch {
      // It ended while we looked.
    }
  }
  return found
}
