// Counts what lies in each place of the state root, one place after the other.
import { lstatSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { allocated, type Counted } from "../../lib/allocated.ts"
import { errnoName } from "../../lib/errors.ts"
import { mountedAt } from "../../lib/mountinfo.ts"
import type { Digest } from "../../oci/digest.ts"
import type { DiskMap } from "../../wire/disk.ts"
import type { FsckParts } from "../fsck/context.ts"

export type DiskMapParts = Pick<FsckParts, "root" | "database" | "content" | "containers"> & {
  /** Blobs that the registry of this engine serves. */
  readonly served: () => Iterable<Digest>
}

type Single = Pick<
  DiskMap,
  | "PartialDownloads"
  | "Ingests"
  | "Trash"
  | "Strays"
  | "Registry"
  | "KeptLogs"
  | "Database"
  | "Reserve"
  | "Directories"
  | "Unknown"
>

export type Counts = { readonly [place in keyof Single]: number } & {
  /** Of blobs together with the layers that were made of them. */
  readonly bytes: ReadonlyMap<Digest, number>
  /** What was written to snapshots, by key. */
  readonly snapshots: ReadonlyMap<string, number>
  /** Logs, and everything else beside the snapshot, by container. */
  readonly logs: ReadonlyMap<string, number>
  readonly states: ReadonlyMap<string, number>
  readonly volumes: ReadonlyMap<string, number>
}

/** The engine's own directories: what they take themselves is nobody's. */
const DIRECTORIES = [
  ".",
  "content",
  "content/sha256",
  "content/ingest",
  "snapshots",
  "containers",
  "volumes",
  "tmp",
  "logs",
]
const DATABASE = ["dhow.db", "dhow.db-wal", "dhow.db-shm", "engine.pid"]
const KNOWN = new Set([...DIRECTORIES, ...DATABASE, "reserve", "registry"])

type Known = {
  readonly containers: ReadonlySet<string>
  readonly volumes: ReadonlySet<string>
  readonly layerSizes: Map<string, number>
}

export async function countPlaces({ root, content, database }: DiskMapParts, known: Known): Promise<Counts> {
  const counted: Counted = new Set()
  const size = (...path: readonly string[]): Promise<number> => allocated(join(root, ...path), counted)
  const single = {
    PartialDownloads: 0,
    Ingests: 0,
    Trash: 0,
    Strays: 0,
    Registry: 0,
    KeptLogs: 0,
    Database: 0,
    Reserve: 0,
  }
  let Directories = DIRECTORIES.reduce((total, path) => total + ownSize(join(root, path)), 0)
  let Unknown = 0

  // Blobs before layers: an indexed layer's tar is a second name of its blob.
  const bytes = new Map<Digest, number>()
  const add = (digest: Digest, more: number): void => void bytes.set(digest, (bytes.get(digest) ?? 0) + more)
  for (const name of namesIn(join(root, "content/sha256"))) {
    const digest = `sha256:${name}` as Digest
    const found = await size("content/sha256", name)
    if (content.has(digest)) add(digest, found)
    else single.Strays += found
  }
  for (const name of namesIn(join(root, "content/ingest")))
    single[name.startsWith("partial-") ? "PartialDownloads" : "Ingests"] += await size("content/ingest", name)

  const rows = database.query<{ key: string; diff_id: Digest }>("SELECT key, diff_id FROM layers").all()
  const layers = new Map(rows.map((row) => [row.key, row.diff_id]))
  const keys = new Set(
    database
      .query<{ key: string }>("SELECT key FROM snapshots")
      .all()
      .map(({ key }) => key),
  )
  const snapshots = new Map<string, number>()
  for (const key of namesIn(join(root, "snapshots"))) {
    const layer = layers.get(key)
    if (layer !== undefined) {
      const found = known.layerSizes.get(key) ?? (await size("snapshots", key))
      known.layerSizes.set(key, found)
      add(layer, found)
    } else if (key === ".trash") {
      Directories += ownSize(join(root, "snapshots", key))
      for (const name of namesIn(join(root, "snapshots", key))) single.Trash += await size("snapshots", key, name)
    } else if (keys.has(key)) snapshots.set(key, await size("snapshots", key))
    else if (key.startsWith(".new-")) single.Ingests += await size("snapshots", key)
    else if (key.startsWith(".")) Directories += await size("snapshots", key)
    else single.Strays += await size("snapshots", key)
  }
  for (const key of known.layerSizes.keys()) if (!layers.has(key)) known.layerSizes.delete(key)

  const logs = new Map<string, number>()
  const states = new Map<string, number>()
  for (const id of namesIn(join(root, "containers"))) {
    if (!known.containers.has(id)) {
      single.Strays += await size("containers", id)
      continue
    }
    states.set(id, ownSize(join(root, "containers", id)))
    for (const name of namesIn(join(root, "containers", id))) {
      const of = isLog(name) ? logs : states
      of.set(id, (of.get(id) ?? 0) + (await size("containers", id, name)))
    }
  }
  const volumes = new Map<string, number>()
  for (const name of namesIn(join(root, "volumes")))
    if (known.volumes.has(name)) volumes.set(name, await sizeOfVolume(join(root, "volumes", name), counted))
    else if (name.startsWith(".new-")) single.Ingests += await sizeOfVolume(join(root, "volumes", name), counted)
    else if (name.startsWith(".removed-")) single.Trash += await sizeOfVolume(join(root, "volumes", name), counted)
    else single.Strays += await size("volumes", name)

  for (const id of namesIn(join(root, "logs"))) single.KeptLogs += await size("logs", id)
  for (const name of namesIn(join(root, "tmp"))) single.Ingests += await size("tmp", name)
  for (const name of DATABASE) single.Database += await size(name)
  single.Reserve = await size("reserve")
  single.Registry = await size("registry")
  for (const name of namesIn(root)) if (!KNOWN.has(name)) Unknown += await size(name)
  return { ...single, Directories, Unknown, bytes, snapshots, logs, states, volumes }
}

/** The engine's own, and Docker's form of it. */
function isLog(name: string): boolean {
  return name.startsWith("container.log") || name.includes("-json.log")
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    // A container that was removed meanwhile, or a directory that is made with its first use.
    if (errnoName(error) === "ENOENT") return []
    throw error
  }
}

/** What is mounted in it is not looked at: it is no part of this disk, and may be a server's that does not answer. */
async function sizeOfVolume(path: string, counted: Counted): Promise<number> {
  const data = join(path, "_data")
  const isMounted = mountedAt(data) !== undefined
  let total = ownSize(path)
  for (const name of namesIn(path))
    if (name !== "_data" || !isMounted) total += await allocated(join(path, name), counted)
  return total
}

/** A directory without what is in it. */
function ownSize(path: string): number {
  return (lstatSync(path, { throwIfNoEntry: false })?.blocks ?? 0) * 512
}
