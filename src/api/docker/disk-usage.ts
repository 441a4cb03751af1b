// GET /system/df: what the lists of the engine add up to.
import type { Engine } from "../../engine/contract.ts"
import { DhowError } from "../../lib/errors.ts"
import { json, type Reply } from "../http/reply.ts"
import type { Call } from "./call.ts"

const TYPES = ["container", "image", "volume", "build-cache"]

export async function diskUsage(
  { containers, images, volumes }: Pick<Engine, "containers" | "images" | "volumes">,
  { query, api }: Call,
): Promise<Reply> {
  const asked = api < 42 || !query.has("type") ? TYPES : query.all("type")
  const unknown = asked.find((type) => !TYPES.includes(type))
  if (unknown !== undefined) throw new DhowError("invalid", `unknown object type: ${unknown}`)
  const filters = new Map<string, readonly string[]>()
  const wants = (type: string): boolean => asked.includes(type)
  const [Images, Containers, Volumes] = await Promise.all([
    wants("image") ? images.list({ all: true, filters, sharedSize: true, manifests: false }) : null,
    wants("container") ? containers.list({ all: true, size: true, filters }) : null,
    wants("volume") ? volumes.list(filters) : null,
  ])
  return json(200, {
    // Layers that images share are counted with each of them.
    LayersSize: (Images ?? []).reduce((total, image) => total + image.Size, 0),
    Images,
    Containers,
    // -1 is Docker's "not known".
    Volumes: Volumes?.map((volume) => ({ UsageData: { Size: -1, RefCount: -1 }, ...volume })) ?? null,
    BuildCache: wants("build-cache") ? [] : null,
    ...(api < 42 ? { BuilderSize: 0 } : {}),
  })
}
