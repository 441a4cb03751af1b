// /containers: everything that answers with JSON or a status alone. Create, logs, wait and attach have files of their own.
import type { Caller, Containers, Filters } from "../../engine/contract.ts"
import { DhowError, type ErrorKind } from "../../lib/errors.ts"
import { parseDuration } from "../../lib/timestamp.ts"
import type { Asker } from "../../wire/exit.ts"
import { empty, json, type Reply } from "../http/reply.ts"
import { getArchive, putArchive, statPath } from "./archive.ts"
import { attach, attachWebSocket } from "./attach.ts"
import { type Call, param, type Route } from "./call.ts"
import { changes, commit, exported } from "./container-files.ts"
import { create } from "./create.ts"
import { containerAt } from "./inspect-versions.ts"
import { readJson } from "./json-body.ts"
import { withoutKernelMemory } from "./kernel-memory.ts"
import { logs } from "./logs.ts"
import { updateRequest } from "./schema/update.ts"
import { stats } from "./stats.ts"
import { wait } from "./wait.ts"

const NO_CONTENT = empty(204)
const NOT_MODIFIED = empty(304)

export function containerRoutes(containers: Containers): Route[] {
  const id = (call: Call): string => param(call, "name")
  return [
    ["GET", "/containers/json", (call) => list(containers, call)],
    ["POST", "/containers/create", (call) => create(containers, call)],
    ["GET", "/containers/*name/logs", (call) => logs(containers, call)],
    ["HEAD", "/containers/*name/archive", (call) => statPath(containers, call)],
    ["GET", "/containers/*name/archive", (call) => getArchive(containers, call)],
    ["PUT", "/containers/*name/archive", (call) => putArchive(containers, call)],
    ["GET", "/containers/*name/stats", (call) => stats(containers, call)],
    ["POST", "/containers/*name/attach", (call) => attach(containers, call)],
    ["GET", "/containers/*name/attach/ws", (call) => attachWebSocket(containers, call)],
    ["POST", "/containers/*name/wait", (call) => wait(containers, call)],
    ["POST", "/containers/*name/update", (call) => update(containers, call)],
    ["GET", "/containers/*name/json", (call) => inspect(containers, call)],
    [
      "GET",
      "/containers/*name/top",
      async (call) => json(200, await containers.top(id(call), call.query.text("ps_args"))),
    ],
    ["POST", "/containers/*name/start", (call) => start(containers, call)],
    ["POST", "/containers/*name/stop", (call) => stop(containers, call)],
    ["POST", "/containers/*name/restart", (call) => done(restart(containers, call))],
    ["POST", "/containers/*name/kill", (call) => done(kill(containers, call))],
    ["POST", "/containers/*name/pause", (call) => done(containers.pause(id(call)))],
    ["POST", "/containers/*name/unpause", (call) => done(containers.unpause(id(call)))],
    ["POST", "/containers/*name/rename", (call) => done(containers.rename(id(call), call.query.text("name")))],
    [
      "POST",
      "/containers/*name/resize",
      (call) => containers.resize(id(call), terminalSize(call)).then(() => empty(200)),
    ],
    ["GET", "/containers/*name/changes", (call) => changes(containers, call)],
    ["GET", "/containers/*name/export", (call) => exported(containers, call)],
    ["POST", "/commit", (call) => commit(containers, call)],
    ["POST", "/containers/prune", async (call) => json(200, await containers.prune(call.query.filters()))],
    ["DELETE", "/containers/*name", (call) => remove(containers, call)],
  ]
}

const done = (work: Promise<void>): Promise<Reply> => work.then(() => NO_CONTENT)

async function start(containers: Containers, { request, query, params }: Call): Promise<Reply> {
  // Shorter than any object with a field in it.
  if ((request.body.length ?? Number.POSITIVE_INFINITY) > 7)
    throw new DhowError(
      "invalid",
      "starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24",
    )
  if (query.has("checkpoint") && query.text("checkpoint") !== "")
    throw new DhowError("invalid", "checkpoint is only supported in experimental mode")
  const detachKeys = query.optional("detachKeys")
  const outcome = await containers.start(params["name"] ?? "", detachKeys === undefined ? {} : { detachKeys })
  return outcome === "started" ? NO_CONTENT : NOT_MODIFIED
}

async function stop(containers: Containers, call: Call): Promise<Reply> {
  const name = param(call, "name")
  const options = stopOptions(call)
  const outcome = await saying(`cannot stop container: ${name}`, () => containers.stop(name, options), "not-found")
  return outcome === "stopped" ? NO_CONTENT : NOT_MODIFIED
}

function restart(containers: Containers, call: Call): Promise<void> {
  const name = param(call, "name")
  const options = stopOptions(call)
  return saying(`Cannot restart container ${name}`, () => containers.restart(name, options), "not-found")
}

function kill(containers: Containers, call: Call): Promise<void> {
  const name = param(call, "name")
  return saying(`cannot kill container: ${name}`, () =>
    containers.kill(name, call.query.text("signal"), { by: call.request.peer?.() }),
  )
}

/** Clients know what failed by Docker's words in front of the reason; where it is of the kind `bare`, without them. */
async function saying<T>(words: string, work: () => Promise<T>, bare?: ErrorKind): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof DhowError) || error.kind === bare) throw error
    throw new DhowError(error.kind, words, { cause: error })
  }
}

async function remove(containers: Containers, call: Call): Promise<Reply> {
  const { query } = call
  const { warning } = await containers.remove(param(call, "name"), {
    force: query.bool("force"),
    volumes: query.bool("v"),
    link: query.bool("link"),
    keepLogs: keepLogs(query.optional("keepLogs")),
    by: call.request.peer?.(),
  })
  // The body of 204 is empty: for dhow's own client.
  return warning === undefined ? NO_CONTENT : empty(204, { "X-Dhow-Warning": warning })
}

/** dhow's own parameter: "7d", or a Go duration. */
function keepLogs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const milliseconds = /^\d{1,5}d$/.test(text) ? Number(text.slice(0, -1)) * 86_400_000 : parseDuration(text)
  if (milliseconds === undefined || milliseconds < 0)
    throw new DhowError("invalid", `invalid keepLogs "${text}": expected a number of days such as "7d", or a duration`)
  return milliseconds
}

async function list(containers: Containers, { query, api }: Call): Promise<Reply> {
  const limit = query.integer("limit")
  const found = await containers.list({
    all: query.bool("all"),
    size: query.bool("size"),
    filters: withBounds(query),
    ...(limit === undefined ? {} : { limit }),
  })
  if (api >= 48) return json(200, found)
  // Annotations came with 1.46, the manifest with 1.48.
  return json(
    200,
    found.map(({ HostConfig, ImageManifestDescriptor: _later, ...rest }) => ({
      ...rest,
      HostConfig: api >= 46 ? HostConfig : { NetworkMode: HostConfig.NetworkMode },
    })),
  )
}

/** The parameters "since" and "before" are older names of the filters. */
function withBounds(query: Call["query"]): Filters {
  const filters = new Map(query.filters())
  for (const name of ["since", "before"]) {
    const reference = query.optional(name)
    if (reference !== undefined) filters.set(name, [reference])
  }
  return filters
}

async function inspect(containers: Containers, call: Call): Promise<Reply> {
  const container = await containers.inspect(param(call, "name"), { size: call.query.bool("size") })
  return json(200, containerAt(container, call.api))
}

async function update(containers: Containers, call: Call): Promise<Reply> {
  const { resources, warnings } = withoutKernelMemory(await readJson(call.request, updateRequest), call.api)
  const { PidsLimit, ...changes } = resources
  // Any limit that is not positive has always meant none.
  const limited =
    call.api >= 40 && PidsLimit !== undefined ? { ...changes, PidsLimit: Math.max(PidsLimit, 0) } : changes
  const { Warnings, ...more } = await containers.update(param(call, "name"), limited, callerIn(call))
  return json(200, { Warnings: [...Warnings, ...warnings], ...more })
}

export function callerIn({ request: { caller } }: Call): { readonly caller?: () => Caller | undefined } {
  return caller === undefined ? {} : { caller }
}

function stopOptions({ query, api, request }: Call): { timeout?: number; signal?: string; by: Asker | undefined } {
  const timeout = query.integer("t")
  // The signal parameter came with 1.42; older clients that send it never had an effect.
  const signal = api >= 42 ? query.optional("signal") : undefined
  const by = request.peer?.()
  return { by, ...(timeout === undefined ? {} : { timeout }), ...(signal === undefined ? {} : { signal }) }
}

export function terminalSize({ query }: Call): { height: number; width: number } {
  return { height: side(query, "h", "height"), width: side(query, "w", "width") }
}

function side(query: Call["query"], name: string, word: string): number {
  try {
    return query.uint32(name)
  } catch (cause) {
    throw new DhowError("invalid", `invalid resize ${word} ${JSON.stringify(query.text(name))}`, { cause })
  }
}
