// The container endpoints, typed. Names and ids go into paths percent-encoded.
import { DhowError } from "../lib/errors.ts"
import { familiarName, parseReference } from "../oci/reference.ts"
import type {
  ContainerCreateRequest,
  ContainerCreateResponse,
  ContainerInspect,
  ContainerSummary,
  ContainerTop,
  ContainerWaitResponse,
  ExecConfig,
  ExecInspect,
  FilesystemChange,
  PathStat,
} from "../wire/container.ts"
import type { ContainerStats } from "../wire/stats.ts"
import type { ContainerUpdateRequest, ContainerUpdateResponse } from "../wire/update.ts"
import { type Answer, type Client, readText } from "./client.ts"
import { COMPATIBLE } from "./compatible.ts"
import type { Duplex } from "./duplex.ts"
import { type Filters, filtersParameter } from "./filters.ts"
import { readJsonLines } from "./json-lines.ts"

const at = (name: string, rest = ""): string => `/containers/${encodeURIComponent(name)}${rest}`

export type CreateOptions = {
  readonly name?: string | undefined
  readonly platform?: string | undefined
  /** What the platform runs as well will do. */
  readonly compatible?: boolean
  /** "auto": an init unless the image's entry point is one already. For engines that know the header. */
  readonly init?: "auto"
  /** "auto", "always" or "never": whether the program gets what systemd needs. */
  readonly systemd?: string | undefined
}

export function createContainer(
  client: Client,
  request: ContainerCreateRequest,
  options: CreateOptions = {},
): Promise<ContainerCreateResponse> {
  return client.json("POST", "/containers/create", {
    query: { name: options.name, platform: options.platform },
    json: request,
    headers: {
      ...(options.init === undefined ? {} : { "X-Dhow-Init": options.init }),
      ...(options.systemd === undefined ? {} : { "X-Dhow-Systemd": options.systemd }),
      ...(options.compatible === true ? COMPATIBLE : {}),
    },
  })
}

export function startContainer(client: Client, name: string, detachKeys?: string): Promise<number> {
  return client.call("POST", at(name, "/start"), { query: { detachKeys } })
}

export type StopOptions = { readonly timeout?: number | undefined; readonly signal?: string | undefined }

export function stopContainer(client: Client, name: string, options: StopOptions = {}): Promise<number> {
  return client.call("POST", at(name, "/stop"), { query: { t: options.timeout, signal: options.signal } })
}

export function restartContainer(client: Client, name: string, options: StopOptions = {}): Promise<number> {
  return client.call("POST", at(name, "/restart"), { query: { t: options.timeout, signal: options.signal } })
}

export function killContainer(client: Client, name: string, signal?: string): Promise<number> {
  return client.call("POST", at(name, "/kill"), { query: { signal } })
}

export function pauseContainer(client: Client, name: string): Promise<number> {
  return client.call("POST", at(name, "/pause"))
}

export function unpauseContainer(client: Client, name: string): Promise<number> {
  return client.call("POST", at(name, "/unpause"))
}

export function renameContainer(client: Client, name: string, newName: string): Promise<number> {
  return client.call("POST", at(name, "/rename"), { query: { name: newName } })
}

export type RemoveOptions = {
  readonly force?: boolean
  readonly volumes?: boolean
  readonly link?: boolean
  /** "7d", or a Go duration: dhow's own. */
  readonly keepLogs?: string | undefined
}

/** `warning`: what of it hangs in the kernel. */
export async function removeContainer(
  client: Client,
  name: string,
  options: RemoveOptions = {},
): Promise<{ readonly warning: string | undefined }> {
  const answer = await client.request("DELETE", at(name), {
    query: { force: options.force, v: options.volumes, link: options.link, keepLogs: options.keepLogs },
  })
  for await (const _ of answer.body);
  return { warning: answer.headers.get("x-dhow-warning") }
}

export type ListOptions = {
  readonly all?: boolean
  readonly limit?: number | undefined
  readonly size?: boolean
  readonly filters?: Filters
}

export function listContainers(client: Client, options: ListOptions = {}): Promise<ContainerSummary[]> {
  return client.json("GET", "/containers/json", {
    query: {
      all: options.all,
      limit: options.limit,
      size: options.size,
      filters: filtersParameter(options.filters),
    },
  })
}

export function inspectContainer(client: Client, name: string): Promise<ContainerInspect> {
  return client.json("GET", at(name, "/json"))
}

/** The answer's own text, for showing numbers and order as the daemon wrote them. */
export function inspectContainerText(client: Client, name: string, options: { size?: boolean } = {}): Promise<string> {
  return client.text("GET", at(name, "/json"), { query: { size: options.size } })
}

export type WaitCondition = "not-running" | "next-exit" | "removed"

/** The daemon has registered the waiter when this resolves; `result` comes when the condition holds. */
export async function waitContainer(
  client: Client,
  name: string,
  condition?: WaitCondition,
): Promise<{ readonly result: Promise<ContainerWaitResponse> }> {
  const answer = await client.request("POST", at(name, "/wait"), { query: { condition } })
  return { result: readText(answer.body).then((text) => JSON.parse(text) as ContainerWaitResponse) }
}

export function resizeContainer(client: Client, name: string, size: TerminalSize): Promise<number> {
  return client.call("POST", at(name, "/resize"), { query: { h: size.height, w: size.width } })
}

export type TerminalSize = { readonly height: number; readonly width: number }

export type AttachQuery = {
  readonly stream?: boolean
  readonly logs?: boolean
  readonly stdin?: boolean
  readonly stdout?: boolean
  readonly stderr?: boolean
  readonly detachKeys?: string | undefined
}

export async function attachContainer(client: Client, name: string, query: AttachQuery): Promise<Duplex> {
  return (await client.hijack(at(name, "/attach"), { query })).stream
}

export type LogsQuery = {
  readonly follow?: boolean
  readonly stdout?: boolean
  readonly stderr?: boolean
  readonly timestamps?: boolean
  readonly details?: boolean
  readonly since?: string | undefined
  readonly until?: string | undefined
  readonly tail?: string | undefined
}

export function containerLogs(client: Client, name: string, query: LogsQuery): Promise<Answer> {
  return client.request("GET", at(name, "/logs"), { query })
}

/** Readings; a single one, after a second, without `stream`. */
export async function containerStats(
  client: Client,
  name: string,
  { stream }: { readonly stream: boolean },
): Promise<AsyncGenerator<ContainerStats>> {
  return readJsonLines(
    (await client.request("GET", at(name, "/stats"), { query: { stream: stream ? "1" : "0" } })).body,
  )
}

export function topContainer(client: Client, name: string, psArguments: string): Promise<ContainerTop> {
  return client.json("GET", at(name, "/top"), { query: { ps_args: psArguments } })
}

export function updateContainer(
  client: Client,
  name: string,
  changes: ContainerUpdateRequest,
): Promise<Omit<ContainerUpdateResponse, "Warnings"> & { Warnings: string[] | null }> {
  return client.json("POST", at(name, "/update"), { json: changes })
}

export async function containerChanges(client: Client, name: string): Promise<FilesystemChange[]> {
  return (await client.json<FilesystemChange[] | null>("GET", at(name, "/changes"))) ?? []
}

export function exportContainer(client: Client, name: string): Promise<Answer> {
  return client.request("GET", at(name, "/export"))
}

export async function statContainerPath(client: Client, name: string, path: string): Promise<PathStat> {
  const answer = await client.request("HEAD", at(name, "/archive"), { query: { path } })
  for await (const _ of answer.body);
  return pathStatOf(answer)
}

/** The archive has to be read to its end, or its iterator returned. */
export async function containerArchive(
  client: Client,
  name: string,
  path: string,
): Promise<{ readonly stat: PathStat; readonly archive: AsyncGenerator<Uint8Array> }> {
  const answer = await client.request("GET", at(name, "/archive"), { query: { path } })
  return { stat: pathStatOf(answer), archive: answer.body }
}

function pathStatOf({ headers }: Answer): PathStat {
  const text = Buffer.from(headers.get("x-docker-container-path-stat") ?? "", "base64").toString("utf8")
  if (text === "") throw new DhowError("unavailable", "The daemon has not said what is at the path")
  return JSON.parse(text) as PathStat
}

export type PutArchiveOptions = {
  readonly archive: AsyncIterable<Uint8Array>
  /** What is unpacked belongs to the container's user. */
  readonly chown: boolean
}

export async function putContainerArchive(
  client: Client,
  name: string,
  path: string,
  { archive, chown }: PutArchiveOptions,
): Promise<void> {
  await client.call("PUT", at(name, "/archive"), {
    query: { path, noOverwriteDirNonDir: true, copyUIDGID: chown ? true : undefined },
    body: archive,
    contentType: "application/x-tar",
  })
}

export type CommitOptions = {
  readonly container: string
  readonly reference?: string | undefined
  readonly author?: string | undefined
  readonly message?: string | undefined
  readonly changes?: readonly string[]
  readonly pause: boolean
}

export function commitContainer(client: Client, options: CommitOptions): Promise<{ Id: string }> {
  const reference = options.reference === undefined ? undefined : parseReference(options.reference)
  if (reference?.digest !== undefined)
    throw new DhowError("invalid", "refusing to create a tag with a digest reference")
  return client.json("POST", "/commit", {
    query: {
      container: options.container,
      repo: reference === undefined ? undefined : familiarName(reference),
      tag: reference === undefined ? undefined : (reference.tag ?? "latest"),
      comment: options.message,
      author: options.author,
      changes: options.changes,
      pause: options.pause ? undefined : "0",
    },
  })
}

export function pruneContainers(
  client: Client,
  filters: Filters,
): Promise<{ ContainersDeleted: string[] | null; SpaceReclaimed: number }> {
  return client.json("POST", "/containers/prune", { query: { filters: filtersParameter(filters) } })
}

export function createExec(client: Client, container: string, config: ExecConfig): Promise<{ Id: string }> {
  return client.json("POST", at(container, "/exec"), { json: config })
}

const exec = (id: string, rest: string): string => `/exec/${encodeURIComponent(id)}${rest}`

export type ExecStart = { readonly Detach: boolean; readonly Tty: boolean; readonly ConsoleSize?: [number, number] }

export function startExecDetached(client: Client, id: string, options: ExecStart): Promise<number> {
  return client.call("POST", exec(id, "/start"), { json: options })
}

export async function startExec(client: Client, id: string, options: ExecStart): Promise<Duplex> {
  return (await client.hijack(exec(id, "/start"), { json: options })).stream
}

export function inspectExec(client: Client, id: string): Promise<ExecInspect> {
  return client.json("GET", exec(id, "/json"))
}

export function resizeExec(client: Client, id: string, size: TerminalSize): Promise<number> {
  return client.call("POST", exec(id, "/resize"), { query: { h: size.height, w: size.width } })
}
