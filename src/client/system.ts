// The endpoints of the daemon itself, its events and volumes, typed.
import type { DiskMap } from "../wire/disk.ts"
import type { FsckLine } from "../wire/fsck.ts"
import type { DiskUsage, EventMessage, VolumeInspect } from "../wire/system.ts"
import type { Client } from "./client.ts"
import { type Filters, filtersParameter } from "./filters.ts"
import { readJsonLines } from "./json-lines.ts"

export type JsonObject = Readonly<Record<string, unknown>>

export function serverVersion(client: Client): Promise<JsonObject> {
  return client.json("GET", "/version")
}

export function serverInfo(client: Client): Promise<JsonObject> {
  return client.json("GET", "/info")
}

export function diskUsage(client: Client): Promise<DiskUsage> {
  return client.json("GET", "/system/df")
}

export function diskMap(client: Client): Promise<DiskMap> {
  return client.json("GET", "/dhow/disk")
}

export type EventsOptions = {
  readonly since?: string | undefined
  readonly until?: string | undefined
  readonly filters?: Filters
}

export async function serverEvents(client: Client, options: EventsOptions): Promise<AsyncGenerator<EventMessage>> {
  const answer = await client.request("GET", "/events", {
    query: { since: options.since, until: options.until, filters: filtersParameter(options.filters) },
  })
  return readJsonLines(answer.body)
}

/** Verifies what is stored; an `error` is the last line of a check that failed. */
export async function checkStore(
  client: Client,
  options: { readonly repair: boolean; readonly rate?: number },
): Promise<AsyncGenerator<FsckLine | { readonly error: string }>> {
  const answer = await client.request("POST", "/dhow/fsck", { query: { repair: options.repair, rate: options.rate } })
  return readJsonLines(answer.body)
}

const volume = (name: string): string => `/volumes/${encodeURIComponent(name)}`

export function listVolumes(client: Client, filters: Filters): Promise<{ Volumes: VolumeInspect[] | null }> {
  return client.json("GET", "/volumes", { query: { filters: filtersParameter(filters) } })
}

export function inspectVolumeText(client: Client, name: string): Promise<string> {
  return client.text("GET", volume(name))
}

export type VolumeCreateRequest = {
  readonly Name?: string
  readonly Driver?: string
  readonly DriverOpts?: Readonly<Record<string, string>>
  readonly Labels?: Readonly<Record<string, string>>
}

export function createVolume(client: Client, request: VolumeCreateRequest): Promise<VolumeInspect> {
  return client.json("POST", "/volumes/create", { json: request })
}

export function removeVolume(client: Client, name: string, force: boolean): Promise<number> {
  return client.call("DELETE", volume(name), { query: { force } })
}

export function pruneVolumes(
  client: Client,
  filters: Filters,
): Promise<{ VolumesDeleted: string[] | null; SpaceReclaimed: number }> {
  return client.json("POST", "/volumes/prune", { query: { filters: filtersParameter(filters) } })
}

export function pruneBuildCache(
  client: Client,
  { all, filters }: { readonly all: boolean; readonly filters: Filters },
): Promise<{ CachesDeleted: string[] | null; SpaceReclaimed: number }> {
  return client.json("POST", "/build/prune", { query: { all, filters: filtersParameter(filters) } })
}
