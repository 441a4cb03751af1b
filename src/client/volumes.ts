// dhow's own endpoints about volumes, typed.
import { DhowError } from "../lib/errors.ts"
import type { VolumeDetail, VolumeInspect, VolumeProgress, VolumeSnapshotSummary } from "../wire/system.ts"
import type { Client } from "./client.ts"
import { type Filters, filtersParameter } from "./filters.ts"
import { readJsonLines } from "./json-lines.ts"

const at = (name: string, rest = ""): string => `/dhow/volumes/${encodeURIComponent(name)}${rest}`

export function volumeDetails(client: Client, filters: Filters): Promise<VolumeDetail[]> {
  return client.json("GET", "/dhow/volumes", { query: { filters: filtersParameter(filters) } })
}

export function volumeDetailText(client: Client, name: string): Promise<string> {
  return client.text("GET", at(name))
}

export function renameVolume(client: Client, name: string, to: string): Promise<VolumeInspect> {
  return client.json("POST", at(name, "/rename"), { query: { to } })
}

export type CopyOptions = { readonly pause: boolean }
type Progress = Promise<AsyncGenerator<VolumeProgress>>

export function cloneVolume(client: Client, name: string, options: CopyOptions & { readonly to: string }): Progress {
  return copying(client, at(name, "/clone"), options)
}

export function snapshotVolume(
  client: Client,
  name: string,
  options: CopyOptions & { readonly name?: string | undefined },
): Progress {
  return copying(client, at(name, "/snapshots"), options)
}

export function restoreVolume(client: Client, name: string, snapshot: string): Progress {
  return copying(client, at(name, "/restore"), { snapshot })
}

export function listVolumeSnapshots(client: Client, name: string): Promise<VolumeSnapshotSummary[]> {
  return client.json("GET", at(name, "/snapshots"))
}

export function removeVolumeSnapshot(client: Client, name: string, snapshot: string): Promise<number> {
  return client.call("DELETE", at(name, `/snapshots/${encodeURIComponent(snapshot)}`))
}

export async function exportVolume(
  client: Client,
  name: string,
  { pause }: CopyOptions,
): Promise<AsyncGenerator<Uint8Array>> {
  return (await client.request("GET", at(name, "/archive"), { query: { pause } })).body
}

export function importVolume(
  client: Client,
  name: string,
  options: {
    readonly archive: AsyncIterable<Uint8Array>
    readonly replace: boolean
    /** "key=value". */
    readonly opts: readonly string[]
    readonly labels: readonly string[]
  },
): Promise<VolumeInspect> {
  const { archive, replace, opts, labels } = options
  return client.json("PUT", at(name, "/archive"), {
    query: { replace, opt: opts, label: labels },
    body: archive,
    contentType: "application/x-tar",
  })
}

export function resizeVolume(client: Client, name: string, size: string): Promise<VolumeDetail> {
  return client.json("POST", at(name, "/resize"), { query: { size } })
}

async function copying(
  client: Client,
  path: string,
  query: Readonly<Record<string, string | boolean | undefined>>,
): Progress {
  const { body } = await client.request("POST", path, { query })
  return checked(readJsonLines<VolumeProgress | { readonly error: string }>(body))
}

/** A failure on the way is its last line. */
async function* checked(
  lines: AsyncGenerator<VolumeProgress | { readonly error: string }>,
): AsyncGenerator<VolumeProgress> {
  for await (const line of lines) {
    if ("error" in line) throw new DhowError("internal", line.error)
    yield line
  }
}
