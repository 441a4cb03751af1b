// Images coming in and going out: POST /images/create (pull, import), /images/{name}/push, /images/load, GET
// /images/get.
import type { Images } from "../../engine/contract.ts"
import { DhowError } from "../../lib/errors.ts"
import type { Platform } from "../../oci/platform.ts"
import { type HttpRequest, type Reply, streamed } from "../http/reply.ts"
import { type Call, param } from "./call.ts"
import { compatibility } from "./compatibility.ts"
import { pullReference, pushReference, targetReference } from "./image-references.ts"
import { progressReply } from "./progress.ts"
import { pushOptions, transferOptions } from "./transfer-options.ts"

export async function createImage(images: Images, call: Call): Promise<Reply> {
  return call.query.has("fromImage") && call.query.text("fromImage") !== ""
    ? pull(images, call)
    : importImage(images, call)
}

function pull(images: Images, { query, api, request }: Call): Promise<Reply> {
  const reference = pullReference(query.text("fromImage"), query.text("tag"))
  const platform = api >= 32 ? query.platform() : undefined
  return progressReply((progress) =>
    images.pull(reference, {
      progress,
      signal: request.signal,
      ...compatibility(request),
      ...transferOptions(request),
      ...authOf(request),
      ...(platform === undefined ? {} : { platform }),
    }),
  )
}

export function push(images: Images, call: Call): Promise<Reply> {
  const { query, api, request } = call
  const reference = pushReference(param(call, "name"), query.text("tag"))
  const platform = api >= 46 ? query.platform() : undefined
  return progressReply((progress) =>
    images.push(reference, {
      progress,
      signal: request.signal,
      ...transferOptions(request),
      ...pushOptions(request),
      ...authOf(request),
      ...(platform === undefined ? {} : { platform }),
    }),
  )
}

export function authOf({ headers }: HttpRequest): { readonly auth?: string } {
  const auth = headers.get("x-registry-auth")
  return auth === undefined ? {} : { auth }
}

function importImage(images: Images, { query, api, request }: Call): Promise<Reply> {
  const source = query.text("fromSrc")
  const repo = query.text("repo")
  const platform = api >= 32 ? query.platform() : undefined
  const options = {
    message: query.optional("message") ?? `Imported from ${source}`,
    changes: query.all("changes"),
    signal: request.signal,
    ...(repo === "" ? {} : { reference: targetReference(repo, query.text("tag")) }),
    ...(platform === undefined ? {} : { platform }),
  }
  return progressReply(async (progress) => {
    const { id } = await images.import(source === "-" ? request.body.stream() : { address: source }, {
      ...options,
      progress,
    })
    progress({ status: id })
  })
}

export function load(images: Images, { query, api, request }: Call): Promise<Reply> {
  const platform = onePlatform(query, api)
  const options = {
    quiet: query.boolOr("quiet", true),
    signal: request.signal,
    ...(platform === undefined ? {} : { platform }),
  }
  return progressReply((progress) => images.load(request.body.stream(), { ...options, progress }))
}

export async function save(
  images: Images,
  references: readonly string[],
  { query, api, request }: Call,
): Promise<Reply> {
  const platform = onePlatform(query, api)
  const archive = await images.save(references, {
    signal: request.signal,
    ...(platform === undefined ? {} : { platform }),
  })
  return streamed("application/x-tar", async (out) => {
    for await (const chunk of archive) if (!out.write(chunk)) await out.drained()
  })
}

/** Came with 1.48, for a single platform. */
function onePlatform(query: Call["query"], api: number): Platform | undefined {
  if (api < 48) return undefined
  if (query.all("platform").length > 1) throw new DhowError("invalid", "multiple platform parameters not supported")
  return query.platform()
}
