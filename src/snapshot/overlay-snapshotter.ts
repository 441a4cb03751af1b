// Snapshots as overlayfs on top of layers, whatever a layer's files look like on disk: that is the layers' form, of which
// there are two. Layers of both may lie in one stack.
//
//   <directory>/<layer key>/              a layer              <directory>/<snapshot key>/{upper,work}
//   <directory>/.empty/{a,b}              lowest layers of stacks that are too short for overlayfs
//   <directory>/.trash                    what is being deleted
import { randomBytes } from "node:crypto"
import { chmodSync, chownSync, mkdirSync, readdirSync, renameSync } from "node:fs"
import { join } from "node:path"
import { crashpoint } from "../lib/crashpoint.ts"
import { diskUsage } from "../lib/disk-usage.ts"
import { DhowError, errnoName } from "../lib/errors.ts"
import { ensureDirectory } from "../lib/files.ts"
import { KeyedLock } from "../lib/keyed-lock.ts"
import { log } from "../lib/log.ts"
import { unmount } from "../lib/syscalls/mount.ts"
import { mountOverlay } from "../lib/syscalls/overlay.ts"
import type { Digest } from "../oci/digest.ts"
import type { Database } from "../state/database.ts"
import type { LayerUsage, Snapshotter } from "./contract.ts"
import type { LayerForm, LayerRoot } from "./layer-form.ts"
import { type LayerRow, openRows, type SnapshotRows } from "./rows.ts"
import { Trash } from "./trash.ts"
import { livesInUserNamespace } from "./user-namespace.ts"

type SnapshotPaths = ReturnType<Snapshotter["paths"]>
type Status = ReturnType<Snapshotter["status"]>

const KEY = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/
const NEW = ".new-"

export class OverlaySnapshotter implements Snapshotter {
  readonly name: Snapshotter["name"]
  readonly #directory: string
  /** In which layers are kept: new ones in the first, the others for what is there already. */
  readonly #forms: readonly [LayerForm, ...LayerForm[]]
  readonly #reason: string
  readonly #trash: Trash
  readonly #locks = new KeyedLock()
  /** Names of directories whose row is not written yet. */
  readonly #busy = new Set<string>()
  readonly #userXattr = livesInUserNamespace()
  readonly #rows: SnapshotRows

  readonly #essential: Database["essential"]

  constructor(
    database: Database,
    directory: string,
    options: { readonly forms: readonly [LayerForm, ...LayerForm[]]; readonly reason: string },
  ) {
    this.name = options.forms[0].name
    this.#directory = directory
    this.#forms = options.forms
    this.#reason = options.reason
    this.#essential = (body) => database.essential(body)
    this.#rows = openRows(
      database,
      this.#forms.map(({ name }) => name),
    )
    // Closed to other users of the host: layers hold setuid programs and files that are only safe inside a container.
    ensureDirectory(directory, 0o700)
    ensureDirectory(join(directory, ".empty/a"), 0o755)
    ensureDirectory(join(directory, ".empty/b"), 0o755)
    this.#trash = new Trash(join(directory, ".trash"))
    this.#forgetLost()
  }

  hasLayer(diffId: Digest): boolean {
    return this.#rows.layer.get({ diffId }) !== null
  }

  async addLayer(diffId: Digest, tar: string, signal?: AbortSignal): Promise<LayerUsage> {
    return await this.#locks.hold(diffId, async () => {
      const present = this.#rows.layer.get({ diffId })
      if (present !== null) return { size: present.size, files: present.files }
      return await this.#makeLayer(diffId, tar, signal)
    })
  }

  async checkLayer(diffId: Digest, tar: string, signal?: AbortSignal): Promise<string | undefined> {
    return await this.#locks.hold(diffId, async () => {
      const row = this.#layer(diffId)
      const form = this.#formOf(row)!
      const temporary = `${NEW}${randomBytes(6).toString("hex")}`
      using _temporary = this.#keep(temporary)
      try {
        mkdirSync(this.#path(temporary), { mode: 0o700 })
        const directory = this.#path(temporary)
        const made = await form.make({ diffId, tar, directory, userXattr: this.#userXattr, signal })
        if (made.size !== row.size || made.files !== row.files || made.rooted !== (row.rooted === 1))
          return "its row tells another size or number of files"
        return await form.difference(this.#path(row.key), directory, signal)
      } finally {
        this.#trash.discard(this.#path(temporary))
      }
    })
  }

  async remakeLayer(diffId: Digest, tar: string, signal?: AbortSignal): Promise<void> {
    await this.#locks.hold(diffId, async () => {
      const before = this.#rows.anyLayer.get({ diffId })
      await this.#makeLayer(diffId, tar, signal)
      if (before === null) return
      this.#formOf(before)?.close(before.key)
      this.#trash.discard(this.#path(before.key))
    })
  }

  /** Under the lock; the row comes last, and takes the place of one that is there. */
  async #makeLayer(diffId: Digest, tar: string, signal: AbortSignal | undefined): Promise<LayerUsage> {
    const key = randomBytes(6).toString("hex")
    const temporary = `${NEW}${key}`
    using _temporary = this.#keep(temporary)
    using _final = this.#keep(key)
    try {
      mkdirSync(this.#path(temporary), { mode: 0o700 })
      const [form] = this.#forms
      const { size, files, rooted } = await form.make({
        diffId,
        tar,
        directory: this.#path(temporary),
        userXattr: this.#userXattr,
        signal,
      })
      crashpoint("snapshot.add-layer:before-rename")
      renameSync(this.#path(temporary), this.#path(key))
      form.renamed(this.#path(key))
      crashpoint("snapshot.add-layer:before-row")
      this.#rows.putLayer.run({ diffId, form: form.name, key, size, files, rooted: rooted ? 1 : 0 })
      return { size, files }
    } catch (error) {
      this.#trash.discard(this.#path(temporary))
      this.#trash.discard(this.#path(key))
      throw error
    }
  }

  async removeLayer(diffId: Digest): Promise<void> {
    // Of a form that this host cannot use, too.
    const row = this.#rows.anyLayer.get({ diffId })
    if (row === null) throw new DhowError("not-found", `No layer "${diffId}"`)
    if (this.#rows.standsOn.get({ diffId }) !== null)
      throw new DhowError("conflict", `Cannot remove layer "${diffId}": a snapshot stands on it`)
    this.#rows.deleteLayer.run({ diffId })
    crashpoint("snapshot.remove-layer:before-files")
    this.#formOf(row)?.close(row.key)
    this.#trash.discard(this.#path(row.key))
  }

  layerSize(diffId: Digest): number {
    return this.#layer(diffId).size
  }

  prepare(key: string, layers: readonly Digest[]): void {
    if (!KEY.test(key)) throw new DhowError("invalid", `Snapshot key "${key}" has characters that no key has`)
    if (this.#rows.snapshot.get({ key }) !== null || this.#rows.layerByKey.get({ key }) !== null)
      throw new DhowError("conflict", `Snapshot "${key}" exists already`)
    const root = this.#rootOf(layers)
    try {
      this.#makeSnapshot(key, layers, root)
    } catch (error) {
      this.#trash.discard(this.#path(key))
      throw error
    }
  }

  #makeSnapshot(key: string, layers: readonly Digest[], root: LayerRoot): void {
    this.#makeFresh(key)
    const upper = this.#path(key, "upper")
    mkdirSync(upper)
    chmodSync(upper, root.mode)
    if (root.uid !== 0 || root.gid !== 0) chownSync(upper, root.uid, root.gid)
    mkdirSync(this.#path(key, "work"), { mode: 0o700 })
    crashpoint("snapshot.prepare:before-row")
    this.#rows.insertSnapshot.run({ key, layers: JSON.stringify(layers), now: Date.now() })
  }

  rebase(key: string, layers: readonly Digest[]): void {
    this.#layers(layers)
    if (this.#rows.rebaseSnapshot.run({ key, layers: JSON.stringify(layers) }).changes === 0)
      throw new DhowError("not-found", `No snapshot "${key}"`)
  }

  mount(key: string, target: string): void {
    const { upper, work, lower } = this.#snapshot(key, (layer) => this.#open(layer))
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
    const lower = this.#stack(layers).map((layer) => this.#open(layer))
    const lowest = lower.length < 2 ? [".empty/a", ".empty/b"].slice(lower.length).map((name) => this.#path(name)) : []
    mountOverlay(target, { lower: [...lowest, ...lower], userXattr: this.#userXattr })
  }

  async remove(key: string): Promise<void> {
    if (this.#essential(() => this.#rows.deleteSnapshot.run({ key }).changes) === 0) return
    crashpoint("snapshot.remove:before-files")
    this.#trash.discard(this.#path(key))
  }

  keys(): readonly string[] {
    return this.#rows.snapshots.all().map(({ key }) => key)
  }

  async usage(key: string): Promise<number> {
    return await diskUsage(this.paths(key).upper)
  }

  paths(key: string): SnapshotPaths {
    return this.#snapshot(key, (layer) => this.#formOf(layer)!.where(layer.key, this.#path(layer.key)))
  }

  status(): Status {
    const counts = new Map<string, number>()
    for (const { snapshotter } of this.#rows.layers.all()) counts.set(snapshotter, (counts.get(snapshotter) ?? 0) + 1)
    return {
      reason: this.#reason,
      layers: this.#forms.map(({ name }) => ({ form: name, count: counts.get(name) ?? 0 })),
    }
  }

  async settled(): Promise<void> {
    await this.#trash.settled()
  }

  strays(): readonly string[] {
    const known = new Set(this.#rows.keys.all().map(({ key }) => key))
    return readdirSync(this.#directory)
      .filter((name) => (name.startsWith(NEW) || !name.startsWith(".")) && !known.has(name) && !this.#busy.has(name))
      .map((name) => this.#path(name))
  }

  sweep(): readonly string[] {
    const inUse = this.#keysInUse()
    const strays = this.strays()
    const removed = [...this.#trash.empty(), ...this.#forms.flatMap((form) => form.sweep(inUse)), ...strays]
    for (const path of strays) this.#trash.discard(path)
    return removed
  }

  #path(...parts: readonly string[]): string {
    return join(this.#directory, ...parts)
  }

  #layer(diffId: Digest): LayerRow {
    const row = this.#rows.layer.get({ diffId })
    if (row === null) throw new DhowError("not-found", `No layer "${diffId}"`)
    return row
  }

  /** Rows of a whole stack with one query: this is on the way of every start. */
  #layers(layers: readonly Digest[]): readonly LayerRow[] {
    const rows = this.#rows.stack.all({ layers: JSON.stringify(layers) })
    if (rows.length !== layers.length) for (const diffId of layers) this.#layer(diffId)
    return rows
  }

  #snapshot(key: string, lower: (layer: LayerRow) => string): SnapshotPaths {
    const snapshot = this.#rows.snapshot.get({ key })
    if (snapshot === null) throw new DhowError("not-found", `No snapshot "${key}"`)
    const layers = this.#stack(JSON.parse(snapshot.layers) as Digest[])
    return { upper: this.#path(key, "upper"), work: this.#path(key, "work"), lower: layers.map(lower) }
  }

  /** The layers, lowest first. overlayfs refuses a layer twice, and only its highest place counts. */
  #stack(layers: readonly Digest[]): readonly LayerRow[] {
    const rows = this.#layers(layers)
    return rows.filter(({ key }, at) => rows.findLastIndex((row) => row.key === key) === at)
  }

  /** Undefined only for a row that anyLayer found. */
  #formOf({ snapshotter }: LayerRow): LayerForm | undefined {
    return this.#forms.find(({ name }) => name === snapshotter)
  }

  #open(layer: LayerRow): string {
    return this.#formOf(layer)!.open(layer.key, this.#path(layer.key))
  }

  #keysInUse(): ReadonlySet<string> {
    const stacks = this.#rows.stacks.all().map(({ layers }) => JSON.parse(layers) as Digest[])
    const inUse = new Set(stacks.flat())
    return new Set(this.#rows.layers.all().flatMap(({ diff_id, key }) => (inUse.has(diff_id) ? [key] : [])))
  }

  /** What the root directory is like in the highest layer that says so. */
  #rootOf(layers: readonly Digest[]): LayerRoot {
    const highest = this.#layers(layers).findLast(({ rooted }) => rooted === 1)
    if (highest === undefined) return { mode: 0o755, uid: 0, gid: 0 }
    return this.#formOf(highest)!.root(this.#path(highest.key))
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
    for (const row of this.#rows.layers.all()) {
      const { diff_id: diffId, key } = row
      if (this.#formOf(row)!.survived(this.#path(key))) continue
      log.warn("A layer was not yet on disk when the machine went down", { layer: diffId })
      this.#rows.deleteLayer.run({ diffId })
    }
  }
}
