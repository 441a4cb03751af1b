// What must hold whenever an engine is idle: rows, mounts, cgroups, namespaces, interfaces, port rules, processes and
// directories tell the same story. Returns what does not agree, one line each.
import { Database } from "bun:sqlite"
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import type { TestEngine } from "./engine.ts"
import { bridgePorts, cgroupsOf, conmons, mountsBelow, publishedTargets } from "./kernel-objects.ts"

type Row = { id: string; name: string; status: string; intent: string | null; state: string }
type NamespaceRow = { key: string; owner: string | null; record: string }
type NamespaceRecord = {
  readonly endpoints: readonly { readonly hostInterface: string; readonly settings: { readonly IPAddress?: string } }[]
  readonly ports: readonly { readonly containerPort: number }[]
}

export function disagreements(engine: TestEngine): string[] {
  const found: string[] = []
  using database = new Database(join(engine.dataRoot, "dhow.db"), { readonly: true })
  const column = (sql: string): string[] =>
    database
      .query<{ value: string }, []>(sql)
      .all()
      .map(({ value }) => value)
  const rows = database.query<Row, []>("SELECT id, name, status, intent, state FROM containers").all()
  const running = new Set(rows.filter(({ status }) => status === "running" || status === "paused").map(({ id }) => id))
  const same = (what: string, real: readonly string[], wanted: readonly string[]): void => {
    for (const name of real) if (!wanted.includes(name)) found.push(`${what}: ${name} is there and no row names it`)
    for (const name of wanted) if (!real.includes(name)) found.push(`${what}: ${name} is missing`)
  }

  for (const row of rows) if (row.intent !== null) found.push(`row ${row.name} is still ${row.intent}`)
  for (const row of rows) {
    if (!running.has(row.id)) continue
    const { process } = JSON.parse(row.state) as { process: { pid: number } }
    if (!existsSync(`/proc/${process.pid}`)) found.push(`row ${row.name} runs, its process ${process.pid} does not`)
  }
  const ids = rows.map(({ id }) => id)
  const bundles = join(engine.execRoot, "containers")
  same("bundles", names(bundles), [...running])
  same(
    "root mounts",
    // What else is mounted there are images, of containers that run.
    mountsBelow(bundles).filter((path) => !running.has(/\/([0-9a-f]{64})\/images\/[^/]+$/.exec(path)?.[1] ?? "")),
    [...running].map((id) => join(bundles, id, "rootfs")),
  )
  same("cgroups", cgroupsOf(engine.cgroupParent), [...running])
  same("runtime states", names(join(engine.execRoot, "runtime-crun")), [...running])
  same("exit files", names(join(engine.execRoot, "exits")), [])
  same("state directories", names(join(engine.dataRoot, "containers")), ids)
  same("volumes", names(join(engine.dataRoot, "volumes")), column("SELECT directory AS value FROM volumes"))
  volumes(engine, { database, same, found })
  const snapshots = column("SELECT key AS value FROM snapshots")
  // One for each container's own files, and one for each image that it mounts.
  same("snapshots", [...new Set(snapshots.map((key) => key.replace(/-image-\d+$/, "")))], ids)
  const trees = names(join(engine.dataRoot, "snapshots")).filter((name) => !/^\.(empty|trash)$/.test(name))
  same("trees", trees, [...snapshots, ...column("SELECT key AS value FROM layers")])
  same("trash", names(join(engine.dataRoot, "snapshots/.trash")), [])
  same("ingests", names(join(engine.dataRoot, "content/ingest")), [])
  same("leases", column("SELECT id AS value FROM leases"), [])
  same("blobs", names(join(engine.dataRoot, "content/sha256")), column("SELECT substr(digest, 8) AS value FROM blobs"))

  const monitors = conmons(engine.execRoot)
  const containers = monitors.filter(({ exec }) => exec === undefined).map(({ container }) => container)
  same("monitors", containers, [...running])
  const execs = monitors.flatMap(({ exec }) => (exec === undefined ? [] : [exec]))
  same("exec bundles", names(join(engine.execRoot, "execs")), execs)
  network(engine, { database, running, same, found })
  return found
}

/** What lies in volumes' directories, and what is mounted there. */
function volumes(engine: TestEngine, { database, same, found }: Pick<Look, "database" | "same" | "found">): void {
  const rows = database.query<VolumeRow, []>("SELECT id, name, directory, record FROM volumes").all()
  const users = database
    .query<{ record: string }, []>("SELECT record FROM containers WHERE status IN ('running', 'paused')")
    .all()
    .flatMap(({ record }) => (JSON.parse(record) as { mounts: { Type: string; Name?: string }[] }).mounts)
  const used = new Set(users.flatMap(({ Type, Name }) => (Type === "volume" ? [Name] : [])))
  const mounted: string[] = []
  for (const { id, name, directory, record } of rows) {
    const path = join(engine.dataRoot, "volumes", directory)
    for (const entry of names(path))
      if (!["_data", "image", "snapshots"].includes(entry)) found.push(`volume ${name}: ${entry} is left`)
    if (!existsSync(join(path, "_data"))) found.push(`volume ${name} has no files`)
    const isMounted = /"type":|"by":"image"/.test(record)
    if (used.has(name) && isMounted) mounted.push(join(path, "_data"))
    const snapshots = database
      .query<{ id: string }, [string]>("SELECT id FROM volume_snapshots WHERE volume = ?")
      .all(id)
    same(
      `snapshots of ${name}`,
      names(join(path, "snapshots")),
      snapshots.map((one) => one.id),
    )
  }
  same("mounts of volumes", mountsBelow(join(engine.dataRoot, "volumes")), mounted)
}

type VolumeRow = { id: string; name: string; directory: string; record: string }

type Look = {
  readonly database: Database
  readonly running: ReadonlySet<string>
  readonly same: (what: string, real: readonly string[], wanted: readonly string[]) => void
  readonly found: string[]
}

function network(engine: TestEngine, { database, running, same, found }: Look): void {
  const rows = database.query<NamespaceRow, []>("SELECT key, owner, record FROM network_namespaces").all()
  for (const { owner } of rows)
    if (owner !== null && !running.has(owner)) found.push(`network namespace of ${owner}, which does not run`)
  const keys = rows.map(({ key }) => key)
  same("namespace files", names(join(engine.execRoot, "netns")), keys)
  const records = rows.map(({ record }) => JSON.parse(record) as NamespaceRecord)
  const interfaces = records.flatMap(({ endpoints }) => endpoints.map(({ hostInterface }) => hostInterface))
  const bridges = [
    engine.bridge,
    ...database
      .query<{ record: string }, []>("SELECT record FROM networks")
      .all()
      .map(({ record }) => JSON.parse(record) as { readonly driver: string; readonly interface: string })
      .flatMap((record) => (record.driver === "bridge" && record.interface !== "" ? [record.interface] : [])),
  ]
  const unique = [...new Set(bridges)]
  same(
    "interfaces on the bridges",
    unique.flatMap(bridgePorts).filter((name) => name.startsWith("veth")),
    interfaces.filter((name) => name.startsWith("veth")),
  )
  const targets = unique.flatMap(publishedTargets)
  // Of a container on several networks one address is led to, on whichever of them that is.
  const published = records.flatMap(({ endpoints, ports }) => {
    const places = endpoints.flatMap(({ settings }) => settings.IPAddress || [])
    return ports.map(({ containerPort }) => {
      const wanted = places.map((address) => `${address}:${containerPort}`)
      return wanted.find((target) => targets.includes(target)) ?? wanted[0] ?? ""
    })
  })
  same("published ports", targets, published)
  const owners = database.query<{ owner: string }, []>("SELECT DISTINCT owner FROM addresses").all()
  for (const { owner } of owners) if (!keys.includes(owner)) found.push(`address of namespace ${owner}, which is gone`)
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

function names(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : []
}
