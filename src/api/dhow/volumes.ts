// /dhow/volumes: what Docker has no words for. Copies answer lines of JSON: how far they are, and last what came of them.
import type { VolumeWork } from "../../engine/contract.ts"
import { DhowError, describeError } from "../../lib/errors.ts"
import type { VolumeProgress } from "../../wire/system.ts"
import { type Call, param, type Route } from "../docker/call.ts"
import { empty, json, type Reply, streamed } from "../http/reply.ts"

export function volumeWorkRoutes(volumes: VolumeWork): Route[] {
  return [
    ["GET", "/dhow/volumes", async (call) => json(200, await volumes.details(call.query.filters()))],
    ["GET", "/dhow/volumes/:name", async (call) => json(200, await volumes.detail(param(call, "name")))],
    [
      "POST",
      "/dhow/volumes/:name/rename",
      async (call) => json(200, await volumes.rename(param(call, "name"), required(call, "to"))),
    ],
    [
      "POST",
      "/dhow/volumes/:name/clone",
      (call) => progress(call, volumes.clone(param(call, "name"), { ...copyOptions(call), to: required(call, "to") })),
    ],
    ["GET", "/dhow/volumes/:name/snapshots", async (call) => json(200, await volumes.snapshots(param(call, "name")))],
    ["POST", "/dhow/volumes/:name/snapshots", (call) => snapshot(volumes, call)],
    [
      "DELETE",
      "/dhow/volumes/:name/snapshots/:snapshot",
      async (call) => {
        await volumes.removeSnapshot(param(call, "name"), param(call, "snapshot"))
        return empty(204)
      },
    ],
    [
      "POST",
      "/dhow/volumes/:name/restore",
      (call) =>
        progress(
          call,
          volumes.restore(param(call, "name"), {
            snapshot: required(call, "snapshot"),
            signal: call.request.signal,
          }),
        ),
    ],
    ["GET", "/dhow/volumes/:name/archive", (call) => archive(volumes, call)],
    ["PUT", "/dhow/volumes/:name/archive", (call) => unarchive(volumes, call)],
    [
      "POST",
      "/dhow/volumes/:name/resize",
      async (call) => json(200, await volumes.resize(param(call, "name"), required(call, "size"))),
    ],
  ]
}

function required({ query }: Call, name: string): string {
  const value = query.text(name)
  if (value === "") throw new DhowError("invalid", `The request has no "${name}"`)
  return value
}

function copyOptions({ query, request }: Call) {
  return { pause: query.bool("pause"), signal: request.signal }
}

function snapshot(volumes: VolumeWork, call: Call): Promise<Reply> {
  const name = call.query.optional("name")
  const options = { ...copyOptions(call), ...(name === undefined ? {} : { name }) }
  return progress(call, volumes.snapshot(param(call, "name"), options))
}

async function archive(volumes: VolumeWork, call: Call): Promise<Reply> {
  const bytes = await volumes.export(param(call, "name"), copyOptions(call))
  return streamed("application/x-tar", async (out) => {
    for await (const chunk of bytes) if (!out.write(chunk)) await out.drained()
  })
}

async function unarchive(volumes: VolumeWork, call: Call): Promise<Reply> {
  const { query, request } = call
  const made = await volumes.import(param(call, "name"), request.body.stream(), {
    replace: query.bool("replace"),
    options: pairs(query.all("opt")),
    labels: pairs(query.all("label")),
    signal: request.signal,
  })
  return json(201, made)
}

function pairs(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf("=")
      return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)]
    }),
  )
}

/** The first line is waited for, so that what is refused is refused with its status; a later failure is the last line. */
async function progress({ request }: Call, lines: AsyncGenerator<VolumeProgress>): Promise<Reply> {
  // A client that leaves before the answer begins leaves nobody to read on.
  request.signal.addEventListener("abort", () => void lines.return(undefined).catch(() => undefined), { once: true })
  const first = await lines.next()
  return streamed("application/x-ndjson", async (out) => {
    try {
      for (let next = first; next.done !== true; next = await lines.next()) {
        // A slow reader misses how far it is, never what came of it.
        if (!("Files" in next.value) || !out.backlogged) out.write(`${JSON.stringify(next.value)}\n`)
      }
    } catch (error) {
      out.write(`${JSON.stringify({ error: describeError(error) })}\n`)
    } finally {
      await lines.return(undefined)
    }
  })
}
