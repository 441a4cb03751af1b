// A volume as a value: what was asked for at create, where it lies, and what it is made of. The row in `volumes` is this.
import { readJsonColumn } from "../../state/json-column.ts"

export type VolumeLimit = {
  readonly bytes: number
  /** Who keeps it: a file system of its own in a file, or the disk's own by the number of a project. */
  readonly by: "image" | { readonly project: number }
  /** The row says more than the file system does yet: it is grown when it is mounted. */
  readonly growing?: true
}

export type VolumeRecord = {
  readonly driver: "local"
  readonly options: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  readonly limit?: VolumeLimit
}

export type Volume = {
  readonly id: string
  readonly name: string
  /** Below volumes/: it stays when the volume is renamed. */
  readonly directory: string
  readonly anonymous: boolean
  /** Milliseconds since 1970. */
  readonly createdAt: number
  readonly lastUsed: number | undefined
  readonly record: VolumeRecord
}

export type VolumeRow = {
  readonly id: string
  readonly name: string
  readonly directory: string
  readonly anonymous: number
  readonly created_at: number
  readonly last_used: number | null
  readonly record: string
}

/** Values of the column `anonymous`. The last: its container is removed, and it will be; nobody sees it any more. */
export const NAMED = 0
export const ANONYMOUS = 1
export const CONDEMNED = 2

export function volumeOf(row: VolumeRow): Volume {
  const record = readJsonColumn<VolumeRecord>(row.record, `volume "${row.name}"`)
  return {
    id: row.id,
    name: row.name,
    directory: row.directory,
    anonymous: row.anonymous === ANONYMOUS,
    createdAt: row.created_at,
    lastUsed: row.last_used ?? undefined,
    record: record ?? { driver: "local", options: {}, labels: {} },
  }
}

/** Whether its files are somewhere else, or in a file system of their own: they are only there while it is used. */
export function isMountable({ options, limit }: VolumeRecord): boolean {
  return isForeign({ options }) || limit?.by === "image"
}

/** Whether its files are not the engine's: a directory of the host, a server's, memory. */
export function isForeign({ options }: Pick<VolumeRecord, "options">): boolean {
  return Boolean(options["device"]) || Boolean(options["type"])
}
