// Image configurations by digest, parsed. Blobs never change, so what was parsed once stays true; the last few are kept
// whole, because every start of a container needs one, and of all the little that lists and counts need.
import { readFileSync } from "node:fs"
import { DhowError } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"
import type { Digest } from "../../oci/digest.ts"
import type { ImageConfig } from "../../oci/image-config.ts"
import { chainIdsOf } from "./chains.ts"
import { normalizeConfig } from "./parse-config.ts"

const KEPT = 128
const KEPT_FACTS = 8192

type Facts = {
  readonly labels: Readonly<Record<string, string>>
  readonly layers: readonly Digest[]
  readonly chain: readonly Digest[]
}

/**
 * `read` throws where a configuration is damaged. The others answer with nothing then, so that one damaged image does not
 * make every list fail: they are for showing and counting, and nothing may be deleted for what they do not name.
 */
export type Configs = {
  read(id: Digest): ImageConfig
  labels(id: Digest): Readonly<Record<string, string>>
  /** Diff ids, lowest first. */
  layers(id: Digest): readonly Digest[]
  /** Chain ids, lowest first. */
  chain(id: Digest): readonly Digest[]
}

export function imageConfigs(content: { path(digest: Digest): string }): Configs {
  const recent = new Map<Digest, ImageConfig>()
  const facts = new Map<Digest, Facts>()

  function read(id: Digest): ImageConfig {
    const known = recent.get(id)
    // Inserted again, so that the first key is always the one not used for longest.
    if (known !== undefined) recent.delete(id)
    const config = known ?? parseStored(id, readFileSync(content.path(id), "utf8"))
    recent.set(id, config)
    if (recent.size > KEPT) recent.delete(recent.keys().next().value as Digest)
    return config
  }

  function factsOf(id: Digest): Facts {
    const known = facts.get(id)
    if (known !== undefined) return known
    let config: ImageConfig
    try {
      config = parseStored(id, readFileSync(content.path(id), "utf8"))
    } catch (error) {
      log.warn("An image cannot be read; dhow fsck says more", { image: id, error: String(error) })
      return NOTHING
    }
    const layers = config.rootfs.diff_ids
    const found = { labels: config.config?.Labels ?? {}, layers, chain: chainIdsOf(layers) }
    facts.set(id, found)
    if (facts.size > KEPT_FACTS) facts.delete(facts.keys().next().value as Digest)
    return found
  }

  return {
    read,
    labels: (id) => factsOf(id).labels,
    layers: (id) => factsOf(id).layers,
    chain: (id) => factsOf(id).chain,
  }
}

const NOTHING: Facts = { labels: {}, layers: [], chain: [] }

function parseStored(id: Digest, text: string): ImageConfig {
  try {
    return normalizeConfig(JSON.parse(text) as ImageConfig)
  } catch (cause) {
    throw new DhowError("internal", `Configuration of image "${id}" is damaged`, {
      cause,
      hint: "See what dhow fsck --repair can do, or remove the image and load or pull it again",
    })
  }
}
