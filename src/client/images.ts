// The image endpoints, typed. Long answers are the daemon's own streams: progress lines or archives.
import { DhowError } from "../lib/errors.ts"
import { familiarName, parseReference } from "../oci/reference.ts"
import type { GcReport, GcStatus, PrunePlan } from "../wire/disk.ts"
import type { ImageDeleteEntry, ImageHistoryEntry, ImageInspect, ImageSummary, ProgressLine } from "../wire/image.ts"
import type { Answer, Client } from "./client.ts"
import { COMPATIBLE } from "./compatible.ts"
import { type Filters, filtersParameter } from "./filters.ts"
import { readJsonLines } from "./json-lines.ts"
import { authHeaders } from "./registries.ts"
import { type TransferOptions, transferHeaders, type UploadOptions } from "./transfer.ts"

/** Slashes of a name stay: they are part of the path. */
const at = (name: string, rest = ""): string => `/images/${name.split("/").map(encodeURIComponent).join("/")}${rest}`

export type ImageListOptions = {
  readonly all?: boolean
  readonly filters?: Filters
  readonly sharedSize?: boolean
  /** With what lies behind each name: its platforms. */
  readonly manifests?: boolean
}

export function listImages(client: Client, options: ImageListOptions = {}): Promise<ImageSummary[]> {
  return client.json("GET", "/images/json", {
    query: {
      all: options.all,
      filters: filtersParameter(options.filters),
      manifests: options.manifests,
      "shared-size": options.sharedSize,
    },
  })
}

export function inspectImage(
  client: Client,
  name: string,
  options: { readonly manifests?: boolean } = {},
): Promise<ImageInspect> {
  return client.json("GET", at(name, "/json"), { query: { manifests: options.manifests } })
}

export function inspectImageText(client: Client, name: string, platform?: string): Promise<string> {
  return client.text("GET", at(name, "/json"), { query: { platform } })
}

export function imageHistory(client: Client, name: string, platform?: string): Promise<ImageHistoryEntry[]> {
  return client.json("GET", at(name, "/history"), { query: { platform } })
}

export function removeImage(
  client: Client,
  name: string,
  options: {
    readonly force?: boolean
    readonly noPrune?: boolean
    /** As JSON. */
    readonly platforms?: readonly string[]
  } = {},
): Promise<ImageDeleteEntry[]> {
  const { force, noPrune, platforms = [] } = options
  return client.json("DELETE", at(name), { query: { force, noprune: noPrune, platforms } })
}

/** `platform` as JSON. */
export function tagImage(client: Client, source: string, target: string, platform?: string): Promise<number> {
  const reference = parseReference(target)
  if (reference.digest !== undefined) throw new DhowError("invalid", "refusing to create a tag with a digest reference")
  const repo = reference.domain === "docker.io" ? familiarName(reference) : `${reference.domain}/${reference.path}`
  return client.call("POST", at(source, "/tag"), { query: { repo, tag: reference.tag ?? "latest", platform } })
}

export function pruneImages(
  client: Client,
  filters: Filters,
): Promise<{ ImagesDeleted: ImageDeleteEntry[] | null; SpaceReclaimed: number }> {
  return client.json("POST", "/images/prune", { query: { filters: filtersParameter(filters) } })
}

/** What pruneImages() would do, and why. */
export function planImagePrune(client: Client, filters: Filters): Promise<PrunePlan> {
  return client.json("GET", "/dhow/images/prune", { query: { filters: filtersParameter(filters) } })
}

export function gcStatus(client: Client): Promise<GcStatus> {
  return client.json("GET", "/dhow/gc")
}

export function collectGarbage(client: Client): Promise<GcReport> {
  return client.json("POST", "/dhow/gc")
}

export type PullOptions = TransferOptions & {
  readonly platform?: string | undefined
  /** What the platform runs as well will do. */
  readonly compatible?: boolean
  readonly allTags?: boolean
  /** X-Registry-Auth */
  readonly auth?: string | undefined
}

export async function pullImage(
  client: Client,
  name: string,
  options: PullOptions = {},
): Promise<AsyncGenerator<ProgressLine>> {
  const reference = parseReference(name)
  const tag = reference.digest ?? (options.allTags === true ? undefined : (reference.tag ?? "latest"))
  const answer = await client.request("POST", "/images/create", {
    query: { fromImage: familiarName(reference), tag, platform: options.platform },
    headers: {
      ...(options.compatible === true ? COMPATIBLE : {}),
      ...authHeaders(options.auth),
      ...transferHeaders(options),
    },
  })
  return readJsonLines(answer.body)
}

export async function pushImage(
  client: Client,
  name: string,
  options: PullOptions & UploadOptions = {},
): Promise<AsyncGenerator<ProgressLine>> {
  const reference = parseReference(name)
  const tag = options.allTags === true ? undefined : (reference.tag ?? "latest")
  const answer = await client.request("POST", at(familiarName(reference), "/push"), {
    query: { tag, platform: options.platform },
    headers: { ...authHeaders(options.auth), ...transferHeaders(options) },
  })
  return readJsonLines(answer.body)
}

export async function loadImages(
  client: Client,
  archive: AsyncIterable<Uint8Array>,
  options: { readonly quiet?: boolean; readonly platform?: string | undefined } = {},
): Promise<AsyncGenerator<ProgressLine>> {
  const answer = await client.request("POST", "/images/load", {
    query: { quiet: options.quiet === true ? "1" : "0", platform: options.platform },
    body: archive,
  })
  return readJsonLines(answer.body)
}

export type ImportOptions = {
  /** "-" for the body, or a URL that the daemon fetches. */
  readonly source: string
  readonly archive?: AsyncIterable<Uint8Array>
  readonly reference?: string | undefined
  readonly message?: string | undefined
  readonly changes?: readonly string[]
  readonly platform?: string | undefined
}

export async function importImage(client: Client, options: ImportOptions): Promise<AsyncGenerator<ProgressLine>> {
  const reference = options.reference === undefined ? undefined : parseReference(options.reference)
  const answer = await client.request("POST", "/images/create", {
    query: {
      fromSrc: options.source,
      repo: reference === undefined ? undefined : familiarName(reference),
      tag: reference?.tag,
      message: options.message,
      changes: options.changes,
      platform: options.platform,
    },
    ...(options.archive === undefined ? {} : { body: options.archive }),
  })
  return readJsonLines(answer.body)
}

export function saveImages(client: Client, names: readonly string[], platform?: string): Promise<Answer> {
  return client.request("GET", "/images/get", { query: { names, platform } })
}
