// /dhow/images: what is in images. What may be long comes as lines of JSON; a failure in the middle breaks the connection
// off, so that half an answer is not taken for the whole.
import type { ImageContents } from "../../engine/contract.ts"
import { DhowError } from "../../lib/errors.ts"
import type { FilesRequest } from "../../wire/image-contents.ts"
import { type Call, param, type Route } from "../docker/call.ts"
import { parseCompression } from "../docker/transfer-options.ts"
import { json, type Reply, streamed } from "../http/reply.ts"

const LINES = "application/x-ndjson"

export function imageContentRoutes(contents: ImageContents): Route[] {
  return [
    ["GET", "/dhow/images/tree", async () => json(200, await contents.tree())],
    ["GET", "/dhow/images/mounts", async () => json(200, await contents.mounts())],
    ["POST", "/dhow/images/*name/mount", (call) => mount(contents, call)],
    [
      "POST",
      "/dhow/images/unmount",
      async (call) => json(200, { Targets: await contents.unmount(call.query.text("name")) }),
    ],
    ["GET", "/dhow/images/*name/files", (call) => files(contents, call)],
    ["GET", "/dhow/images/*name/diff", (call) => difference(contents, call)],
    ["POST", "/dhow/images/*name/convert", (call) => convert(contents, call)],
    ["POST", "/dhow/images/*name/squash", (call) => squash(contents, call)],
  ]
}

function readOf({ request, query }: Call) {
  const platform = query.platform()
  return { signal: request.signal, ...(platform === undefined ? {} : { platform }) }
}

async function files(contents: ImageContents, call: Call): Promise<Reply> {
  const { query } = call
  const path = query.optional("path")
  const layer = query.integer("layer")
  const request: FilesRequest = {
    wasted: query.bool("wasted"),
    sort: query.text("sort") === "path" ? "path" : "size",
    ...(path === undefined ? {} : { path: path.replace(/^\/+|\/+$/g, "") }),
    ...(layer === undefined ? {} : { layer }),
  }
  return await lines(await contents.files(param(call, "name"), { ...readOf(call), request }))
}

async function difference(contents: ImageContents, call: Call): Promise<Reply> {
  const other = call.query.text("to")
  if (other === "") throw new DhowError("invalid", "There is nothing to compare the image with")
  const options = { ...readOf(call), times: call.query.bool("times") }
  return await lines(await contents.difference(param(call, "name"), other, options))
}

async function squash(contents: ImageContents, call: Call): Promise<Reply> {
  const { query } = call
  const [name, from, base] = [query.optional("t"), query.optional("from"), query.optional("base")]
  const options = {
    ...readOf(call),
    ...(name === undefined ? {} : { name }),
    ...(from === undefined ? {} : { from }),
    ...(base === undefined ? {} : { base }),
  }
  return json(201, await contents.squash(param(call, "name"), options))
}

async function convert(contents: ImageContents, call: Call): Promise<Reply> {
  const { query } = call
  const compression = query.optional("compression")
  const types = mediaTypes(query.optional("types"))
  const options = {
    ...readOf(call),
    ...(compression === undefined ? {} : { compression: parseCompression(compression) }),
    ...(types === undefined ? {} : { types }),
  } as const
  return json(201, await contents.convert(param(call, "name"), query.text("to"), options))
}

async function mount(contents: ImageContents, { query, params }: Call): Promise<Reply> {
  const [target, platform] = [query.optional("target"), query.platform()]
  const options = {
    ...(target === undefined ? {} : { target }),
    ...(platform === undefined ? {} : { platform }),
  }
  return json(201, await contents.mount(params["name"] ?? "", options))
}

function mediaTypes(text: string | undefined): "oci" | "docker" | undefined {
  if (text === undefined || text === "oci" || text === "docker") return text
  throw new DhowError("invalid", `invalid media types "${text}": expected oci or docker`)
}

const BATCH = 64 * 1024

/** The first line is waited for, so that what fails at once fails with its status. */
async function lines(values: AsyncIterable<unknown>): Promise<Reply> {
  const iterator = values[Symbol.asyncIterator]()
  const first = await iterator.next()
  return streamed(LINES, async (out) => {
    try {
      let text = ""
      for (let next = first; next.done !== true; next = await iterator.next()) {
        text += `${JSON.stringify(next.value)}\n`
        if (text.length < BATCH) continue
        if (!out.write(text)) await out.drained()
        text = ""
      }
      if (text !== "") out.write(text)
    } finally {
      await iterator.return?.()
    }
  })
}
