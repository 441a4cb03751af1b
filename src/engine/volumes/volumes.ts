// Named and anonymous volumes of the local driver: a directory and a row. Disk first and row last on create, row first
// and disk last on remove.
import { randomBytes } from "node:crypto"
import { crashpoint } from "../../lib/crashpoint.ts"
import { DhowError } from "../../lib/errors.ts"
import type { VolumeDetail, VolumeInspect } from "../../wire/system.ts"
import type { Filters, Volumes } from "../contract.ts"
import { booleanFilter, hasFilter, matchLabels, rejectUnknownFilters } from "../filters.ts"
import { bytesOf, describeUse, describeVolume, sizeOf } from "./describe.ts"
import { limitFor } from "./limit.ts"
import { checkDriver, checkName, checkOptions, type VolumeOptions } from "./options.ts"
import type { VolumeParts } from "./parts.ts"
import { pruneVolumes } from "./prune.ts"
import type { Volume } from "./record.ts"

/** An anonymous volume that so far is an empty directory: its row is written together with its container's. */
export type PreparedVolume = { readonly name: string; readonly commit: () => void; readonly undo: () => void }

type CreateOptions = VolumeOptions & { readonly anonymous?: boolean }

export class LocalVolumes implements Volumes {
  readonly parts: VolumeParts
  /** What goes on with a volume, by its id: it is not removed meanwhile. */
  readonly #work = new Map<string, Set<string>>()
  /** Those whose rows are written with their containers'. */
  readonly #prepared = new Map<string, Volume>()
  #isPruning = false

  constructor(parts: VolumeParts) {
    this.parts = parts
  }

  /** The directory that is mounted. */
  path(name: string): string {
    return this.parts.places.data(this.get(name))
  }

  /** Makes the volume unless it exists; `anonymous` ones go away with their container. */
  ensure(name: string, options: CreateOptions = {}): Volume {
    checkDriver(options.driver)
    const found = this.find(name)
    if (found !== undefined) return found
    const volume = this.#make(name, options)
    crashpoint("volume.create:before-row")
    this.insert(volume)
    return volume
  }

  /** Makes an anonymous volume's directory. A crash before `commit` leaves an empty one, which the sweep removes. */
  prepareAnonymous(options: VolumeOptions): PreparedVolume & { readonly path: string } {
    checkDriver(options.driver)
    const volume = this.#make(randomBytes(32).toString("hex"), { ...options, anonymous: true })
    this.#prepared.set(volume.name, volume)
    return {
      name: volume.name,
      path: this.parts.places.data(volume),
      commit: () => {
        this.insert(volume)
        this.#prepared.delete(volume.name)
      },
      undo: () => {
        this.#prepared.delete(volume.name)
        this.parts.places.unmake(volume)
      },
    }
  }

  /** A volume without a directory or a row. */
  plan(name: string, { anonymous = false, options = {}, labels = {} }: CreateOptions = {}): Volume {
    checkName(name)
    const bytes = checkOptions(name, options)
    const id = anonymous ? name : randomBytes(32).toString("hex")
    const directory = this.parts.places.choose(name, id)
    const limit = bytes === undefined ? {} : { limit: limitFor(name, bytes) }
    const record = { driver: "local", options: { ...options }, labels: { ...labels }, ...limit } as const
    return { id, name, directory, anonymous, createdAt: Date.now(), lastUsed: undefined, record }
  }

  #make(name: string, options: CreateOptions): Volume {
    const volume = this.plan(name, options)
    this.parts.places.make(volume)
    return volume
  }

  insert(volume: Volume): void {
    this.parts.rows.insert(volume)
    this.parts.events.emit("volume", "create", volume.name, { driver: "local" })
  }

  /** Decides that these are removed, in the transaction that removes their container; `discard` or `sweep` does it. */
  condemn(names: readonly string[]): void {
    for (const name of names) this.parts.rows.condemn(name)
  }

  async create(options: VolumeOptions & { readonly name?: string }): Promise<VolumeInspect> {
    const anonymous = options.name === undefined || options.name === ""
    const name = anonymous ? randomBytes(32).toString("hex") : (options.name ?? "")
    return this.describe(this.ensure(name, { ...options, anonymous }))
  }

  async list(filters: Filters): Promise<VolumeInspect[]> {
    rejectUnknownFilters(filters, ["name", "driver", "label", "dangling"])
    const dangling = booleanFilter(filters, "dangling", false)
    return this.parts.rows
      .all()
      .filter(
        ({ name, record }) =>
          hasFilter(filters, "name", (value) => name.includes(value)) &&
          hasFilter(filters, "driver", (value) => value === "local") &&
          (!filters.has("dangling") || dangling === (this.parts.usedBy(name).length === 0)) &&
          matchLabels(filters, record.labels),
      )
      .map((volume) => this.describe(volume))
  }

  /** Those whose files are the engine's, with the bytes of these and the number of containers that mount them. */
  async listWithUsage(): Promise<VolumeInspect[]> {
    const volumes: VolumeInspect[] = []
    for (const volume of this.parts.rows.all()) {
      const Size = await sizeOf(volume, this.parts.places)
      if (Size === undefined) continue
      volumes.push({ ...this.describe(volume), UsageData: { Size, RefCount: this.parts.usedBy(volume.name).length } })
    }
    return volumes
  }

  async inspect(name: string): Promise<VolumeInspect> {
    const volume = this.get(name)
    return { ...this.describe(volume), ...describeUse(volume, this.parts.users(name)) }
  }

  async details(filters: Filters): Promise<VolumeDetail[]> {
    const details: VolumeDetail[] = []
    for (const { Name } of await this.list(filters)) {
      const volume = this.find(Name)
      if (volume !== undefined) details.push(await this.#detail(volume))
    }
    return details
  }

  async detail(reference: string): Promise<VolumeDetail> {
    return await this.#detail(this.resolve(reference))
  }

  async #detail(volume: Volume): Promise<VolumeDetail> {
    const { places, mounts, snapshots } = this.parts
    const use = describeUse(volume, this.parts.users(volume.name))
    return {
      ...this.describe(volume),
      ...use,
      Bytes: await bytesOf(volume, places, mounts),
      Limit: volume.record.limit?.bytes ?? null,
      LimitedBy: volume.record.limit === undefined ? null : volume.record.limit.by === "image" ? "image" : "quota",
      Mounted: mounts.isMounted(volume),
      Snapshots: snapshots.of(volume.id).map(({ name }) => name),
    }
  }

  async remove(name: string, options: { readonly force: boolean }): Promise<void> {
    if (this.find(name) === undefined && options.force) return
    this.#refuseUsed(this.get(name))
    await this.discard(name)
  }

  /** Throws where a container mounts it, or something is being done with its files. */
  #refuseUsed({ name, id }: Volume): void {
    const users = [...this.parts.usedBy(name), ...(this.#work.get(id) ?? [])]
    if (users.length > 0) throw new DhowError("conflict", `remove ${name}: volume is in use - [${users.join(", ")}]`)
  }

  /** Keeps the volume from being removed or renamed until what is returned is called. */
  begin(volume: Volume, what: string): () => void {
    const work = this.#work.get(volume.id) ?? new Set()
    const mine = `${what} of ${volume.name}`
    if (work.has(mine)) throw new DhowError("conflict", `Cannot begin the ${mine}: one is under way`)
    work.add(mine)
    this.#work.set(volume.id, work)
    return () => {
      work.delete(mine)
      if (work.size === 0) this.#work.delete(volume.id)
    }
  }

  isBusy({ id }: Volume): boolean {
    return this.#work.has(id)
  }

  /**
   * Removes a volume nobody uses. The directory is put aside first: from then on the removal is decided, and `sweep`
   * finishes it after a crash. A full directory without a row would have to be kept, for nobody could tell why it is there.
   */
  async discard(name: string): Promise<void> {
    const volume = this.find(name) ?? this.parts.rows.condemned().find((one) => one.name === name)
    if (volume === undefined) return
    const { mounts, places, rows, events } = this.parts
    await mounts.unmount(volume)
    // Unmounting takes a while: somebody may have taken it meanwhile, or been quicker.
    if (this.find(name) !== undefined) this.#refuseUsed(volume)
    places.putAside(volume)
    crashpoint("volume.remove:before-row")
    rows.delete(volume.id)
    crashpoint("volume.remove:after-row")
    places.clear(volume)
    events.emit("volume", "destroy", name, { driver: "local" })
  }

  async prune(filters: Filters): Promise<{ VolumesDeleted: string[]; SpaceReclaimed: number }> {
    rejectUnknownFilters(filters, ["label", "label!", "all"])
    const all = booleanFilter(filters, "all", false)
    if (this.#isPruning) throw new DhowError("conflict", "a prune operation is already running")
    this.#isPruning = true
    try {
      return await pruneVolumes(this, { all, filters })
    } finally {
      this.#isPruning = false
    }
  }

  isAnonymous(name: string): boolean {
    return this.find(name)?.anonymous === true
  }

  /** Containers have ended that mounted these: lets go of what nobody needs any more. */
  async left(names: readonly string[]): Promise<void> {
    if (names.length === 0) return
    this.parts.rows.used(names, Date.now())
    for (const name of names) {
      const volume = this.find(name)
      if (volume !== undefined) await this.parts.mounts.settle(volume)
    }
  }

  find(name: string): Volume | undefined {
    return this.parts.rows.find(name)
  }

  /** Also of a volume that has no row yet. */
  findPrepared(name: string): Volume | undefined {
    return this.find(name) ?? this.#prepared.get(name)
  }

  get(name: string): Volume {
    const volume = this.find(name)
    if (volume === undefined) throw new DhowError("not-found", `get ${name}: no such volume`)
    return volume
  }

  /** By name, or by id. */
  resolve(reference: string): Volume {
    return this.find(reference) ?? this.parts.rows.byId(reference) ?? this.get(reference)
  }

  describe(volume: Volume): VolumeInspect & { readonly Id: string } {
    return describeVolume(volume, this.parts.places)
  }
}
