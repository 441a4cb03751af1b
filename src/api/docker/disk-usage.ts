// GET /system/df.
import type { DiskUsageType, System } from "../../engine/contract.ts"
import { DhowError } from "../../lib/errors.ts"
import { json, type Reply } from "../http/reply.ts"
import type { Call } from "./call.ts"

const TYPES: readonly DiskUsageType[] = ["container", "image", "volume", "build-cache"]

export async function diskUsage(system: Pick<System, "diskUsage">, { query, api }: Call): Promise<Reply> {
  // The choice came with 1.42.
  const names = api < 42 || !query.has("type") ? TYPES : query.all("type")
  const wanted = names.map((name) => {
    const type = TYPES.find((known) => known === name)
    if (type === undefined) throw new DhowError("invalid", `unknown object type: ${name}`)
    return type
  })
  const usage = await system.diskUsage(new Set(wanted))
  return json(200, {
    ...usage,
    ...(api < 44 && usage.Images
      ? { Images: usage.Images.map((image) => ({ ...image, VirtualSize: image.Size })) }
      : {}),
    ...(api < 42 ? { BuilderSize: 0 } : {}),
  })
}
