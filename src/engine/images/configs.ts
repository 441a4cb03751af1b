// Image configurations by digest, parsed. Blobs never change, so what was parsed once stays true; the last few are kept,
// because every start of a container needs one.
import { readFileSync } from "node:fs"
import { DhowError } from "../../lib/errors.ts"
import type { Digest } from "../../oci/digest.ts"
import type { ImageConfig } from "../../oci/image-config.ts"
import { normalizeConfig } from "./parse-config.ts"

const KEPT = 128

export type Configs = { read(id: Digest): ImageConfig }

export function imageConfigs(content: { path(digest: Digest): string }): Configs {
  const recent = new Map<Digest, ImageConfig>()
  return {
    read(id) {
      const known = recent.get(id)
      // Inserted again, so that the first key is always the one not used for longest.
      if (known !== undefined) recent.delete(id)
      const config = known ?? parseStored(id, readFileSync(content.path(id), "utf8"))
      recent.set(id, config)
      if (recent.size > KEPT) recent.delete(recent.keys().next().value as Digest)
      return config
    },
  }
}

function parseStored(id: Digest, text: string): ImageConfig {
  try {
    return normalizeConfig(JSON.parse(text) as ImageConfig)
  } catch (cause) {
    throw new DhowError("internal", `Configuration of image "${id}" is damaged`, {
      cause,
      hint: "Remove the image and load or pull it again",
    })
  }
}
