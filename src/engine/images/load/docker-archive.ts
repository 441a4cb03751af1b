// The images of a docker-archive: manifest.json names configuration, layers and tags by path. There is no manifest in
// it that a registry would know, so the images get one of their own.
import type { Lease } from "../../../content/contract.ts"
import { DhowError } from "../../../lib/errors.ts"
import { formatReference, parseReference } from "../../../oci/reference.ts"
import { storeManifest } from "../assemble.ts"
import type { ImagesContext } from "../context.ts"
import { parseConfig } from "../parse-config.ts"
import { isObject, isStringArray, readDocument } from "./documents.ts"
import { checkLayers } from "./layers.ts"
import type { LoadedTarget } from "./loaded.ts"
import type { Archive, Spooled } from "./spool.ts"

export type DockerItem = {
  readonly Config: string
  readonly RepoTags: readonly string[]
  readonly Layers: readonly string[]
}

export async function readItems(archive: Archive, file: Spooled): Promise<readonly DockerItem[]> {
  const invalid = (detail: string): DhowError =>
    new DhowError("invalid", `"manifest.json" in the image archive ${detail}`)
  const document = await readDocument(archive, file, "manifest.json")
  if (!Array.isArray(document)) throw invalid("is not a list")
  return document.map((item: unknown) => {
    if (!isObject(item) || typeof item["Config"] !== "string") throw invalid("has an item without configuration")
    const { Config, RepoTags, Layers } = item
    const tags = RepoTags ?? []
    const layers = Layers ?? []
    if (!isStringArray(tags) || !isStringArray(layers)) throw invalid("has tags or layers that are not text")
    return { Config, RepoTags: tags, Layers: layers }
  })
}

/** Canonical names of an item. */
export function namesOf({ RepoTags }: DockerItem): readonly string[] {
  return RepoTags.map((text) => {
    const reference = parseReference(text)
    if (reference.tag === undefined || reference.digest !== undefined)
      throw new DhowError("invalid", `invalid tag "${text}"`)
    return formatReference(reference)
  })
}

export async function readDockerArchive(
  context: Pick<ImagesContext, "content">,
  archive: Archive,
  { items, lease }: { readonly items: readonly DockerItem[]; readonly lease: Lease },
): Promise<readonly LoadedTarget[]> {
  const targets: LoadedTarget[] = []
  for (const item of items) {
    const file = archive.file(item.Config)
    if (file === undefined)
      throw new DhowError("invalid", `Image archive lacks the configuration "${item.Config}" that it names`)
    const bytes = await archive.read(file)
    const config = parseConfig(bytes, item.Config)
    if (config.os !== "linux") throw new DhowError("invalid", `cannot load ${config.os} image on linux`)
    checkLayers(
      item.Layers.map((path) => archive.file(path)),
      config,
      item.Layers,
    )
    const image = await storeManifest(context, bytes, { config, lease })
    targets.push({ target: image.manifest, images: [image], names: namesOf(item) })
  }
  return targets
}
