// Named and anonymous volumes of the local driver: a directory under volumes/<name>/_data and a row. Disk first and row
// last on create, row first and disk last on remove.
import { randomBytes } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { crashpoint } from "../lib/crashpoint.ts"
import { diskUsage } from "../lib/disk-usage.ts"
import { DhowError, errnoName } from "../lib/errors.ts"
import { ensureDirectory, syncDirectory } from "../lib/files.ts"
import { log } from "../lib/log.ts"
import { mountedBelow } from "../lib/mountinfo.ts"
import { unmount } from "../lib/syscalls/mount.ts"
import { timestamp } from "../lib/time.ts"
import type { Database } from "../state/database.ts"
import { readJsonColumn } from "../state/json-column.ts"
import type { VolumeInspect } from "../wire/system.ts"
import type { Filters, Volumes } from "./contract.ts"
import type { EventLog } from "./events.ts"
import { booleanFilter, hasFilter, matchLabels, rejectUnknownFilters } from "./filters.ts"

type VolumeRecord = {
  readonly driver: "local"
  readonly options: Record<string, string>
  readonly labels: Record<string, string>
}
/** An anonymous volume that so far is an empty directory: its row is written together with its container's. */
export type PreparedVolume = { readonly name: string; readonly commit: () => void; readonly undo: () => void }

type VolumeOptions = {
  readonly anonymous?: boolean
  readonly driver?: string
  readonly options?: Readonly<Record<string, string>>
  readonly labels?: Readonly<Record<string, string>>
}
type Row = { name: string; anonymous: number; created_at: number; record: string }

/** Values of the column `anonymous`. The last: its container is removed, and it will be; nobody sees it any more. */
const NAMED = 0
const ANONYMOUS = 1
const CONDEMNED = 2

/** In front of a directory whose removal was decided; no volume's name begins so. */
const REMOVED = ".removed-"
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/

export class LocalVolumes implements Volumes {
  readonly #database: Database
  readonly #directory: string
  readonly #events: EventLog
  /** Names of the containers that mount a volume; the containers own that knowledge. */
  readonly #usedBy: (name: string) => readonly string[]

  constructor(parts: {
    database: Database
    directory: string
    events: EventLog
    usedBy: (name: string) => readonly string[]
  }) {
    this.#database = parts.database
    this.#directory = parts.directory
    this.#events = parts.events
    this.#usedBy = parts.usedBy
    ensureDirectory(this.#directory)
  }

  #isPruning = false

  /** The directory that is mounted. */
  path(name: string): string {
    return join(this.#directory, name, "_data")
  }

  /** Makes the volume unless it exists; `anonymous` ones go away with their container. */
  ensure(name: string, options: VolumeOptions = {}): Row {
    checkDriver(options.driver)
    const found = this.#find(name)
    if (found !== undefined) return found
    this.#makeDirectory(name, options)
    crashpoint("volume.create:before-row")
    return this.#insert(name, options)
  }

  /** Makes an anonymous volume's directory. A crash before `commit` leaves an empty one, which the sweep removes. */
  prepareAnonymous(options: VolumeOptions): PreparedVolume {
    checkDriver(options.driver)
    const name = randomBytes(32).toString("hex")
    this.#makeDirectory(name, options)
    return {
      name,
      commit: () => this.#insert(name, { ...options, anonymous: true }),
      undo: () => rmSync(join(this.#directory, name), { recursive: true, force: true }),
    }
  }

  #makeDirectory(name: string, options: VolumeOptions): void {
    if (!NAME.test(name) || name.length > 255)
      throw new DhowError(
        "invalid",
        `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
      )
    if (options.options !== undefined && Object.keys(options.options).length > 0)
      throw new DhowError(
        "not-implemented",
        `Cannot create volume "${name}": options of the local driver are not available in this version`,
        {
          hint: `Remove ${Object.keys(options.options)
            .map((option) => `"${option}"`)
            .join(", ")}`,
        },
      )
    mkdirSync(this.path(name), { recursive: true, mode: 0o755 })
    syncDirectory(this.#directory)
  }

  #insert(name: string, options: VolumeOptions): Row {
    const record: VolumeRecord = { driver: "local", options: {}, labels: { ...options.labels } }
    const row = {
      name,
      anonymous: options.anonymous ? ANONYMOUS : NAMED,
      created_at: Date.now(),
      record: JSON.stringify(record),
    }
    this.#database
      .query<never, Row>(
        "INSERT INTO volumes (name, anonymous, created_at, record) VALUES ($name, $anonymous, $created_at, $record)",
      )
      .run(row)
    this.#events.emit("volume", "create", name, { driver: "local" })
    return row
  }

  /** Decides that these are removed, in the transaction that removes their container; `discard` or `sweep` does it. */
  condemn(names: readonly string[]): void {
    for (const name of names)
      this.#database
        .query<never, { name: string; condemned: number }>(
          "UPDATE volumes SET anonymous = $condemned WHERE name = $name",
        )
        .run({ name, condemned: CONDEMNED })
  }

  async create(options: {
    readonly name?: string
    readonly driver?: string
    readonly options?: Record<string, string>
    readonly labels?: Record<string, string>
  }): Promise<VolumeInspect> {
    const anonymous = options.name === undefined || options.name === ""
    const name = anonymous ? randomBytes(32).toString("hex") : (options.name ?? "")
    return this.#inspect(this.ensure(name, { ...options, anonymous }))
  }

  async list(filters: Filters): Promise<VolumeInspect[]> {
    rejectUnknownFilters(filters, ["name", "driver", "label", "dangling"])
    const dangling = booleanFilter(filters, "dangling", false)
    return this.#rows()
      .filter((row) => {
        const { labels } = recordOf(row)
        return (
          hasFilter(filters, "name", (value) => row.name.includes(value)) &&
          hasFilter(filters, "driver", (value) => value === "local") &&
          (!filters.has("dangling") || dangling === (this.#usedBy(row.name).length === 0)) &&
          matchLabels(filters, labels)
        )
      })
      .map((row) => this.#inspect(row))
  }

  /** All of them, with the bytes of their files and the number of containers that mount them. */
  async listWithUsage(): Promise<VolumeInspect[]> {
    const volumes: VolumeInspect[] = []
    for (const row of this.#rows()) {
      const Size = await diskUsage(this.path(row.name))
      volumes.push({ ...this.#inspect(row), UsageData: { Size, RefCount: this.#usedBy(row.name).length } })
    }
    return volumes
  }

  async inspect(name: string): Promise<VolumeInspect> {
    return this.#inspect(this.#get(name))
  }

  async remove(name: string, options: { readonly force: boolean }): Promise<void> {
    if (this.#find(name) === undefined && options.force) return
    this.#get(name)
    const users = this.#usedBy(name)
    if (users.length > 0) throw new DhowError("conflict", `remove ${name}: volume is in use - [${users.join(", ")}]`)
    this.discard(name)
  }

  /**
   * Removes a volume nobody uses. The directory is put aside first: from then on the removal is decided, and `sweep`
   * finishes it after a crash. A full directory without a row would have to be kept, for nobody could tell why it is there.
   */
  discard(name: string): void {
    const aside = join(this.#directory, `${REMOVED}${name}`)
    try {
      renameSync(join(this.#directory, name), aside)
    } catch (error) {
      // A crash came between this and the row; or somebody took the directory away by hand.
      if (errnoName(error) !== "ENOENT") throw error
    }
    crashpoint("volume.remove:before-row")
    const remove = this.#database.query<never, { name: string }>("DELETE FROM volumes WHERE name = $name")
    this.#database.essential(() => {
      remove.run({ name })
    })
    crashpoint("volume.remove:after-row")
    removeDirectory(aside)
    this.#events.emit("volume", "destroy", name, { driver: "local" })
  }

  async prune(filters: Filters): Promise<{ VolumesDeleted: string[]; SpaceReclaimed: number }> {
    rejectUnknownFilters(filters, ["label", "label!", "all"])
    const all = booleanFilter(filters, "all", false)
    if (this.#isPruning) throw new DhowError("conflict", "a prune operation is already running")
    this.#isPruning = true
    try {
      return await this.#prune(all, filters)
    } finally {
      this.#isPruning = false
    }
  }

  async #prune(all: boolean, filters: Filters): Promise<{ VolumesDeleted: string[]; SpaceReclaimed: number }> {
    const deleted: string[] = []
    let reclaimed = 0
    for (const row of this.#rows()) {
      const { labels } = recordOf(row)
      if ((!all && row.anonymous === NAMED) || this.#usedBy(row.name).length > 0 || !matchLabels(filters, labels))
        continue
      const size = await diskUsage(this.path(row.name))
      // Counting takes a while: somebody may have taken it meanwhile, or been quicker.
      if (this.#find(row.name) === undefined || this.#usedBy(row.name).length > 0) continue
      this.discard(row.name)
      reclaimed += size
      deleted.push(row.name)
    }
    this.#events.emit("volume", "prune", "", { reclaimed: String(reclaimed) })
    return { VolumesDeleted: deleted, SpaceReclaimed: reclaimed }
  }

  isAnonymous(name: string): boolean {
    return this.#find(name)?.anonymous === ANONYMOUS
  }

  /** Finishes removals, and removes what a crash left of a creation: empty directories without a row. A full one is only named. */
  sweep(): void {
    const condemned = this.#database.query<{ name: string }, { condemned: number }>(
      "SELECT name FROM volumes WHERE anonymous = $condemned",
    )
    for (const { name } of condemned.all({ condemned: CONDEMNED })) this.discard(name)
    for (const name of readdirSync(this.#directory)) {
      if (name.startsWith(REMOVED)) {
        this.#database
          .query<never, { name: string }>("DELETE FROM volumes WHERE name = $name")
          .run({ name: name.slice(REMOVED.length) })
        removeDirectory(join(this.#directory, name))
        continue
      }
      if (this.#find(name) !== undefined) continue
      const data = this.path(name)
      if (existsSync(data) && readdirSync(data).length > 0) {
        log.warn("A volume directory has no row; it is kept", { directory: join(this.#directory, name) })
        continue
      }
      if (existsSync(data)) rmdirSync(data)
      rmdirSync(join(this.#directory, name))
    }
  }

  #rows(): Row[] {
    return this.#database
      .query<Row>("SELECT name, anonymous, created_at, record FROM volumes WHERE anonymous < 2 ORDER BY name")
      .all()
  }

  #find(name: string): Row | undefined {
    return (
      this.#database
        .query<Row, { name: string }>(
          "SELECT name, anonymous, created_at, record FROM volumes WHERE name = $name AND anonymous < 2",
        )
        .get({ name }) ?? undefined
    )
  }

  #get(name: string): Row {
    const row = this.#find(name)
    if (row === undefined) throw new DhowError("not-found", `get ${name}: no such volume`)
    return row
  }

  #inspect(row: Row): VolumeInspect {
    const record = recordOf(row)
    const labels = row.anonymous === ANONYMOUS ? { "com.docker.volume.anonymous": "", ...record.labels } : record.labels
    return {
      CreatedAt: timestamp(row.created_at).replace(/\.\d+Z$/, "Z"),
      Driver: record.driver,
      Labels: Object.keys(labels).length > 0 ? labels : null,
      Mountpoint: this.path(row.name),
      Name: row.name,
      Options: Object.keys(record.options).length > 0 ? record.options : null,
      Scope: "local",
    }
  }
}

/** What somebody mounted in there is let go first: behind it lie files that are no part of the volume. */
function removeDirectory(directory: string): void {
  for (const { path, type } of mountedBelow(directory)) {
    log.warn("A removed volume had something mounted in it, which is let go", { path, type })
    unmount(path)
  }
  rmSync(directory, { recursive: true, force: true })
}

function checkDriver(driver: string | undefined): void {
  if (driver === undefined || driver === "" || driver === "local") return
  throw new DhowError("not-found", `error looking up volume plugin ${driver}: plugin "${driver}" not found`)
}

function recordOf(row: Row): VolumeRecord {
  const record = readJsonColumn<VolumeRecord>(row.record, `volume "${row.name}"`)
  return record ?? { driver: "local", options: {}, labels: {} }
}
