// The snapshotter that works everywhere: each layer unpacked into a directory, snapshots as overlayfs on top.
//
//   <directory>/<layer key>/fs            a layer's files     <directory>/<snapshot key>/{upper,work}
//   <directory>/.empty/{a,b}              lowest layers of stacks that are too short for overlayfs
//   <directory>/.trash                    what is being deleted
import { randomBytes } from "node:crypto"
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync } from "node:fs"
import { join } from "node:path"
import { crashpoint } from "../lib/crashpoint.ts"
import { DhowError, errnoName } from "../lib/errors.ts"
import { ensureDirectory } from "../lib/files.ts"
import { KeyedLock } from "../lib/keyed-lock.ts"
import { log } from "../lib/log.ts"
import { unmount } from "../lib/syscalls/mount.ts"
import { mountOverlay } from "../lib/syscalls/overlay.ts"
import type { Digest } from "../oci/digest.ts"
import type { Database } from "../state/database.ts"
import type { LayerUsage, Snapshotter } from "./contract.ts"
import { diskUsage } from "./disk-usage.ts"
import { durabilityOf, makeDurable } from "./durability.ts"
import { Trash } from "./trash.ts"
import { unpackInProcess } from "./unpack-process.ts"

type LayerRow = {
  readonly diff_id: Digest
  readonly key: string
  readonly size: number
  readonly files: number
  readonly rooted: number
}

export type DirectoryOptions = {
  /** Command line that runs an internal verb of this program: [program, "internal"]. */
  readonly internalCommand: readonly string[]
}

const KEY = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/
const NEW = ".new-"

export function openDirectorySnapshotter(
  database: Database,
  directory: string,
  options: DirectoryOptions,
): Snapshotter {
  return new DirectorySnapshotter(database, directory, options)
}

class DirectorySnapshotter implements Snapshotter {
  readonly name = "directory"
  readonly #directory: string
  readonly #command: readonly string[]
  readonly #trash: Trash
  readonly #locks = new KeyedLock()
  /** Names of directories whose row is not written yet. */
  readonly #busy = new Set<string>()
  readonly #userXattr = livesInUserNamespace()
  readonly #statements: ReturnType<typeof prepareStatements>

  constructor(database: Database, directory: string, options: DirectoryOptions) {
    this.#directory = directory
    this.#command = options.internalCommand
    this.#statements = prepareStatements(database)
    // Closed to other users of the host: layers hold setuid programs and files that are only safe inside a container.
    ensureDirectory(directory, 0o700)
    ensureDirectory(join(directory, ".empty/a"), 0o755)
    ensureDirectory(join(directory, ".empty/b"), 0o755)
    this.#trash = new Trash(join(directory, ".trash"))
    this.#forgetLost()
  }

  hasLayer(diffId: Digest): boolean {
    return this.#statements.layer.get({ diffId }) !== null
  }

  async addLayer(diffId: Digest, tar: string, signal?: AbortSignal): Promise<LayerUsage> {
    return await this.#locks.hold(diffId, async () => {
      const present = this.#statements.layer.get({ diffId })
      if (present !== null) return { size: present.size, files: present.files }
      const key = randomBytes(6).toString("hex")
      const temporary = `${NEW}${key}`
      using _temporary = this.#keep(temporary)
      using _final = this.#keep(key)
      try {
        mkdirSync(this.#path(temporary), { mode: 0o700 })
        mkdirSync(this.#path(temporary, "fs"))
        const { size, files, rooted } = await unpackInProcess({
          command: this.#command,
          archive: tar,
          directory: this.#path(temporary),
          prefix: this.#userXattr ? "user.overlay." : "trusted.overlay.",
          signal,
        })
        crashpoint("snapshot.add-layer:before-rename")
        renameSync(this.#path(temporary), this.#path(key))
        crashpoint("snapshot.add-layer:before-row")
        this.#statements.insertLayer.run({ diffId, key, size, files, rooted: rooted ? 1 : 0 })
        return { size, files }
      } catch (error) {
        this.#trash.discard(this.#path(temporary))
        this.#trash.discard(this.#path(key))
        throw error
      }
    })
  }

  async removeLayer(diffId: Digest): Promise<void> {
    const row = this.#layer(diffId)
    if (this.#statements.standsOn.get({ diffId }) !== null)
      throw new DhowError("conflict", `Cannot remove layer "${diffId}": a snapshot stands on it`)
    this.#statements.deleteLayer.run({ diffId })
    crashpoint("snapshot.remove-layer:before-files")
    this.#trash.discard(this.#path(row.key))
  }

  layerSize(diffId: Digest): number {
    return this.#layer(diffId).size
  }

  prepare(key: string, layers: readonly Digest[]): void {
    if (!KEY.test(key)) throw new DhowError("invalid", `Snapshot key "${key}" has characters that no key has`)
    if (this.#statements.snapshot.get({ key }) !== null || this.#statements.layerByKey.get({ key }) !== null)
      throw new DhowError("conflict", `Snapshot "${key}" exists already`)
    const root = this.#rootOf(layers)
    this.#makeFresh(key)
    const upper = this.#path(key, "upper")
    mkdirSync(upper)
    chmodSync(upper, root.mode)
    if (root.uid !== 0 || root.gid !== 0) chownSync(upper, root.uid, root.gid)
    mkdirSync(this.#path(key, "work"), { mode: 0o700 })
    crashpoint("snapshot.prepare:before-row")
    this.#statements.insertSnapshot.run({ key, layers: JSON.stringify(layers), now: Date.now() })
  }

  mount(key: string, target: string): void {
    const { upper, work, lower } = this.paths(key)
    mountOverlay(target, {
      lower: lower.length === 0 ? [this.#path(".empty/a")] : lower,
      upper: { directory: upper, work },
      userXattr: this.#userXattr,
    })
  }

  unmount(target: string): void {
    unmount(target)
  }

  view(layers: readonly Digest[], target: string): void {
    const lower = this.#lower(layers)
    const lowest = lower.length < 2 ? [".empty/a", ".empty/b"].slice(lower.length).map((name) => this.#path(name)) : []
    mountOverlay(target, { lower: [...lowest, ...lower], userXattr: this.#userXattr })
  }

  async remove(key: string): Promise<void> {
    if (this.#statements.deleteSnapshot.run({ key }).changes === 0) return
    crashpoint("snapshot.remove:before-files")
    this.#trash.discard(this.#path(key))
  }

  keys(): readonly string[] {
    return this.#statements.snapshots.all().map(({ key }) => key)
  }

  async usage(key: string): Promise<number> {
    return await diskUsage(this.paths(key).upper)
  }

  paths(key: string): { readonly upper: string; readonly work: string; readonly lower: readonly string[] } {
    const snapshot = this.#statements.snapshot.get({ key })
    if (snapshot === null) throw new DhowError("not-found", `No snapshot "${key}"`)
    return {
      upper: this.#path(key, "upper"),
      work: this.#path(key, "work"),
      lower: this.#lower(JSON.parse(snapshot.layers) as Digest[]),
    }
  }

  sweep(): readonly string[] {
    const known = new Set(this.#statements.keys.all().map(({ key }) => key))
    const removed: string[] = [...this.#trash.empty()]
    for (const name of readdirSync(this.#directory)) {
      const stray = name.startsWith(NEW) || !name.startsWith(".")
      if (!stray || known.has(name) || this.#busy.has(name)) continue
      removed.push(this.#path(name))
      this.#trash.discard(this.#path(name))
    }
    return removed
  }

  #path(...parts: readonly string[]): string {
    return join(this.#directory, ...parts)
  }

  #layer(diffId: Digest): LayerRow {
    const row = this.#statements.layer.get({ diffId })
    if (row === null) throw new DhowError("not-found", `No layer "${diffId}"`)
    return row
  }

  /** Rows of a whole stack with one query: this is on the way of every start. */
  #layers(layers: readonly Digest[]): readonly LayerRow[] {
    const rows = this.#statements.stack.all({ layers: JSON.stringify(layers) })
    if (rows.length !== layers.length) for (const diffId of layers) this.#layer(diffId)
    return rows
  }

  /** Directories of the layers, lowest first. overlayfs refuses a layer twice, and only its highest place counts. */
  #lower(layers: readonly Digest[]): readonly string[] {
    const keys = new Set(
      this.#layers(layers)
        .map(({ key }) => key)
        .reverse(),
    )
    return [...keys].reverse().map((key) => this.#path(key, "fs"))
  }

  /** What the root directory is like in the highest layer that says so. */
  #rootOf(layers: readonly Digest[]): { readonly mode: number; readonly uid: number; readonly gid: number } {
    const highest = this.#layers(layers).findLast(({ rooted }) => rooted === 1)
    if (highest === undefined) return { mode: 0o755, uid: 0, gid: 0 }
    const { mode, uid, gid } = statSync(this.#path(highest.key, "fs"))
    return { mode: mode & 0o7777, uid, gid }
  }

  /** An empty directory for `key`; what lies there without a row was left by a crash. */
  #makeFresh(key: string): void {
    try {
      mkdirSync(this.#path(key), { mode: 0o700 })
    } catch (error) {
      if (errnoName(error) !== "EEXIST") throw error
      this.#trash.discard(this.#path(key))
      mkdirSync(this.#path(key), { mode: 0o700 })
    }
  }

  #keep(name: string): Disposable {
    this.#busy.add(name)
    return { [Symbol.dispose]: () => this.#busy.delete(name) }
  }

  /** Rows of layers that a power failure took: to have no layer is the truth then, and it can be unpacked again. */
  #forgetLost(): void {
    for (const { diff_id: diffId, key } of this.#statements.layers.all()) {
      // Only what is surely absent counts: a directory that cannot be read throws.
      const there = statSync(this.#path(key), { throwIfNoEntry: false }) !== undefined
      const durability = there ? durabilityOf(this.#path(key)) : "lost"
      if (durability === "pending") void makeDurable(this.#path(key))
      if (durability !== "lost") continue
      log.warn("A layer was not yet on disk when the machine went down", { layer: diffId })
      this.#statements.deleteLayer.run({ diffId })
    }
  }
}

function prepareStatements(database: Database) {
  const columns = "diff_id, layers.key, size, files, rooted"
  return {
    layers: database.query<LayerRow>(`SELECT ${columns} FROM layers WHERE snapshotter = 'directory'`),
    layer: database.query<LayerRow, { diffId: string }>(
      `SELECT ${columns} FROM layers WHERE diff_id = $diffId AND snapshotter = 'directory'`,
    ),
    stack: database.query<LayerRow, { layers: string }>(
      `SELECT ${columns} FROM json_each($layers) AS place CROSS JOIN layers ON diff_id = place.value
       WHERE snapshotter = 'directory' ORDER BY place.id`,
    ),
    layerByKey: database.query<{ key: string }, { key: string }>("SELECT key FROM layers WHERE key = $key"),
    insertLayer: database.query<never, { diffId: string; key: string; size: number; files: number; rooted: number }>(
      `INSERT INTO layers (diff_id, snapshotter, key, size, files, rooted)
       VALUES ($diffId, 'directory', $key, $size, $files, $rooted)`,
    ),
    deleteLayer: database.query<never, { diffId: string }>("DELETE FROM layers WHERE diff_id = $diffId"),
    standsOn: database.query<{ key: string }, { diffId: string }>(
      `SELECT snapshots.key FROM snapshots, json_each(snapshots.layers) AS layer
       WHERE layer.value = $diffId LIMIT 1`,
    ),
    snapshot: database.query<{ layers: string }, { key: string }>("SELECT layers FROM snapshots WHERE key = $key"),
    insertSnapshot: database.query<never, { key: string; layers: string; now: number }>(
      "INSERT INTO snapshots (key, snapshotter, layers, created_at) VALUES ($key, 'directory', $layers, $now)",
    ),
    deleteSnapshot: database.query<never, { key: string }>("DELETE FROM snapshots WHERE key = $key"),
    snapshots: database.query<{ key: string }>("SELECT key FROM snapshots"),
    keys: database.query<{ key: string }>("SELECT key FROM snapshots UNION SELECT key FROM layers"),
  }
}

/** Only there may "trusted." attributes not be set, and "user." ones have to stand in. */
function livesInUserNamespace(): boolean {
  return !/^\s*0\s+0\s+4294967295\s*$/.test(readFileSync("/proc/self/uid_map", "utf8"))
}
