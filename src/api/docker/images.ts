// /images: queries and changes of what is stored. Pull, load, import and save are in image-transfer.ts.
import type { Filters, Images } from "../../engine/contract.ts"
import { DhowError } from "../../lib/errors.ts"
import type { ImageSummary } from "../../wire/image.ts"
import { empty, json, type Reply } from "../http/reply.ts"
import { type Call, param, type Route } from "./call.ts"
import { targetReference } from "./image-references.ts"
import { createImage, load, push, save } from "./image-transfer.ts"
import { imageAt } from "./inspect-versions.ts"

export function imageRoutes(images: Images): Route[] {
  return [
    ["GET", "/images/json", (call) => list(images, call)],
    ["GET", "/images/*name/json", (call) => inspect(images, call)],
    ["GET", "/images/*name/history", (call) => history(images, call)],
    ["POST", "/images/*name/tag", (call) => tag(images, call)],
    ["DELETE", "/images/*name", (call) => remove(images, call)],
    ["POST", "/images/prune", async (call) => json(200, await images.prune(call.query.filters()))],
    ["POST", "/images/create", (call) => createImage(images, call)],
    ["POST", "/images/*name/push", (call) => push(images, call)],
    ["POST", "/images/load", (call) => load(images, call)],
    ["GET", "/images/get", (call) => save(images, call.query.all("names"), call)],
    ["GET", "/images/*name/get", (call) => save(images, [param(call, "name")], call)],
  ]
}

async function list(images: Images, { query, api }: Call): Promise<Reply> {
  const filters = new Map(query.filters())
  const pattern = api < 41 ? query.optional("filter") : undefined
  if (pattern !== undefined) filters.set("reference", [...(filters.get("reference") ?? []), pattern])
  const found = await images.list({
    all: query.bool("all"),
    filters: filters satisfies Filters,
    sharedSize: api >= 42 && query.bool("shared-size"),
    manifests: api >= 47 && query.bool("manifests"),
  })
  return json(
    200,
    found.map((image) => summaryFor(image, api)),
  )
}

function summaryFor(image: ImageSummary, api: number): unknown {
  const unnamed = api < 43 && image.RepoTags.length === 0 && image.RepoDigests.length === 0
  return {
    ...image,
    ...(unnamed ? { RepoTags: ["<none>:<none>"], RepoDigests: ["<none>@<none>"] } : {}),
    ...(api < 44 ? { VirtualSize: image.Size } : {}),
    ...(api < 51 ? { Containers: -1 } : {}),
  }
}

async function inspect(images: Images, call: Call): Promise<Reply> {
  const { query, api } = call
  const platform = api >= 49 ? query.platform() : undefined
  const manifests = api >= 48 && query.bool("manifests")
  if (manifests && platform !== undefined)
    throw new DhowError("invalid", "conflicting options: manifests and platform options cannot both be set")
  const image = await images.inspect(param(call, "name"), {
    manifests,
    ...(platform === undefined ? {} : { platform }),
  })
  return json(200, imageAt(image, api))
}

async function history(images: Images, call: Call): Promise<Reply> {
  const platform = call.api >= 48 ? call.query.platform() : undefined
  return json(200, await images.history(param(call, "name"), platform === undefined ? {} : { platform }))
}

async function tag(images: Images, call: Call): Promise<Reply> {
  // dhow's own: Docker tags all platforms at once.
  const platform = call.query.platform()
  const target = targetReference(call.query.text("repo"), call.query.text("tag"))
  await images.tag(param(call, "name"), target, platform === undefined ? {} : { platform })
  return empty(201)
}

async function remove(images: Images, call: Call): Promise<Reply> {
  const name = param(call, "name")
  if (name.trim() === "") throw new DhowError("invalid", "image name cannot be blank")
  const { api, query } = call
  const platforms = api >= 50 ? query.platforms("platforms") : []
  return json(200, await images.remove(name, { force: query.bool("force"), prune: !query.bool("noprune"), platforms }))
}
