// Archives from before Docker 1.10, as Docker still reads them: each directory is one layer with the configuration of the
// image that it was the top of ("json"), "repositories" says which of them have names. There are neither manifests nor
// digests in them: a directory's name is believed for nothing but to find its parent.
import type { Lease } from "../../../content/contract.ts"
import { DhowError } from "../../../lib/errors.ts"
import type { Digest } from "../../../oci/digest.ts"
import type { HistoryEntry } from "../../../oci/image-config.ts"
import { formatReference, parseReference } from "../../../oci/reference.ts"
import { storeManifest } from "../assemble.ts"
import type { ImagesContext } from "../context.ts"
import { parseConfig } from "../parse-config.ts"
import { isObject, readDocument } from "./documents.ts"
import type { LoadedTarget } from "./loaded.ts"
import type { Archive } from "./spool.ts"

/** No kernel mounts as many. */
const MOST_LAYERS = 500
/** Each may be an image whose configuration tells of all layers below it. */
const MOST_DIRECTORIES = 2000
/** What of an old configuration says something about its place in the chain, or that the layers say better. */
const DROPPED = new Set(["id", "parent", "Size", "parent_id", "layer_id", "throwaway"])
/** Go writes these so within a text. */
const ESCAPED = /[<>&\u2028\u2029]/g

type Layer = {
  readonly id: string
  readonly parent: string
  readonly document: Readonly<Record<string, unknown>>
  readonly diffId: Digest
}

export function isLegacy(archive: Archive): boolean {
  return directories(archive).length > 0
}

export async function readLegacy(
  context: Pick<ImagesContext, "content">,
  archive: Archive,
  lease: Lease,
): Promise<readonly LoadedTarget[]> {
  const layers = new Map<string, Layer>()
  for (const id of directories(archive)) layers.set(id, await readLayer(archive, id))
  const names = await namesById(archive, layers)
  const parents = new Set([...layers.values()].map(({ parent }) => parent))
  const targets: LoadedTarget[] = []
  for (const layer of layers.values()) {
    const own = names.get(layer.id) ?? []
    // What only others stand on was an image between two steps of a build.
    if (own.length === 0 && parents.has(layer.id)) continue
    const bytes = Buffer.from(configOf(chainOf(layer, layers)))
    const config = parseConfig(bytes, `${layer.id}/json`)
    if (config.os !== "linux") throw new DhowError("invalid", `cannot load ${config.os} image on linux`)
    const image = await storeManifest(context, bytes, { config, lease })
    targets.push({ target: image.manifest, images: [image], names: own })
  }
  // Each stands on another one.
  const [first] = layers.values()
  if (targets.length === 0 && first !== undefined) chainOf(first, layers)
  return targets
}

function directories(archive: Archive): readonly string[] {
  const found = archive.paths().flatMap((path) => /^([^/]+)\/(?:json|layer\.tar)$/.exec(path)?.[1] ?? [])
  const names = [...new Set(found)].sort()
  if (names.length > MOST_DIRECTORIES)
    throw new DhowError("invalid", `Image archive has more than ${MOST_DIRECTORIES} layers`)
  return names
}

async function readLayer(archive: Archive, id: string): Promise<Layer> {
  const file = archive.file(`${id}/json`)
  const tar = archive.file(`${id}/layer.tar`)
  if (file === undefined || tar === undefined)
    throw new DhowError("invalid", `Image archive lacks "${id}/${file === undefined ? "json" : "layer.tar"}"`)
  const document = await readDocument(archive, file, `${id}/json`)
  if (!isObject(document)) throw new DhowError("invalid", `Image configuration "${id}/json" is not an object`)
  const { parent } = document
  return { id, parent: typeof parent === "string" ? parent : "", document, diffId: tar.plain }
}

/** The layer and those below it, lowest first. */
function chainOf(top: Layer, layers: ReadonlyMap<string, Layer>): readonly Layer[] {
  const chain = [top]
  const seen = new Set(chain)
  for (let at = top; at.parent !== ""; ) {
    const below = layers.get(at.parent)
    if (below === undefined)
      throw new DhowError("invalid", `Image archive lacks the layer "${at.parent}" that "${at.id}" stands on`)
    if (chain.length >= MOST_LAYERS || seen.has(below))
      throw new DhowError("invalid", `Layers of "${top.id}" in the image archive stand on one another in a circle`)
    chain.push(below)
    seen.add(below)
    at = below
  }
  return chain.reverse()
}

/** The configuration that Docker makes of it, so that the image gets the id that it has there. */
function configOf(chain: readonly Layer[]): string {
  const document = chain.at(-1)?.document ?? {}
  const kept = Object.entries(document).filter(([name]) => !DROPPED.has(name))
  const rootfs = { type: "layers", diff_ids: chain.map(({ diffId }) => diffId) }
  const fields = new Map<string, unknown>([...kept, ["history", chain.map(historyOf)], ["rootfs", rootfs]])
  const sorted = [...fields].sort(([a], [b]) => (a < b ? -1 : 1))
  const text = JSON.stringify(Object.fromEntries(sorted))
  return text.replace(ESCAPED, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`)
}

function historyOf({ document }: Layer): HistoryEntry {
  const { created, author, comment, container_config: container } = document
  const command = isObject(container) && Array.isArray(container["Cmd"]) ? container["Cmd"].join(" ") : ""
  const text = (value: unknown): string => (typeof value === "string" ? value : "")
  return {
    ...(text(created) === "" ? {} : { created: text(created) }),
    ...(text(author) === "" ? {} : { author: text(author) }),
    ...(command === "" ? {} : { created_by: command }),
    ...(text(comment) === "" ? {} : { comment: text(comment) }),
  }
}

/** Canonical names by directory. An archive of an image that was named by its id has none. */
async function namesById(archive: Archive, layers: ReadonlyMap<string, Layer>): Promise<Map<string, string[]>> {
  const names = new Map<string, string[]>()
  const file = archive.file("repositories")
  if (file === undefined) return names
  const invalid = new DhowError("invalid", '"repositories" in the image archive is not names by repository')
  const document = await readDocument(archive, file, "repositories")
  if (!isObject(document)) throw invalid
  for (const [repository, tags] of Object.entries(document)) {
    if (!isObject(tags)) throw invalid
    for (const [tag, id] of Object.entries(tags)) {
      if (typeof id !== "string") throw invalid
      if (!layers.has(id)) throw new DhowError("invalid", `invalid target ID: ${id}`)
      const reference = parseReference(`${repository}:${tag}`)
      if (reference.tag !== tag) throw new DhowError("invalid", `invalid tag "${repository}:${tag}"`)
      names.set(id, [...(names.get(id) ?? []), formatReference(reference)])
    }
  }
  return names
}
