// The ways in which one layer's bytes get into a repository, cheapest first: they are there, another repository has them,
// the tar becomes them again, or the registry that they came from still has them.
import { createReadStream } from "node:fs"
import { compress, DEFAULT_LEVEL } from "../../../lib/compression.ts"
import { DhowError, isKind } from "../../../lib/errors.ts"
import type { Digest } from "../../../oci/digest.ts"
import { MEDIA_TYPE } from "../../../oci/manifest.ts"
import { RefusedError } from "../../../registry/answer-error.ts"
import type { Registries, Repository } from "../../../registry/contract.ts"
import type { Credentials } from "../../../registry/credentials.ts"
import type { RateLimit } from "../../../registry/rate-limit.ts"
import type { LayerCompression, Progress } from "../../contract.ts"
import { type ImagesContext, shortId } from "../context.ts"
import { findRecipe, remakeFile, USUAL_RECIPE } from "../recipes.ts"
import type { LayerForm } from "./forms.ts"

const READ_SIZE = 1 << 20
const REPORT_MILLISECONDS = 100
/** Repositories that are asked for a blob. */
const MOST_SOURCES = 3

export type SendTo = {
  readonly repository: Repository
  readonly domain: string
  readonly path: string
  /** The user's at `domain`, and shown nowhere else. */
  readonly credentials?: Credentials | undefined
  readonly limit: RateLimit | undefined
  readonly progress: Progress
  readonly signal: AbortSignal
}

export type Sent = LayerForm & { readonly status: string }

export function layerSender(context: ImagesContext, registries: Registries) {
  const { content, layerSources, blobPlaces, internalCommand } = context

  async function present({ digest }: LayerForm, { repository, signal }: SendTo): Promise<string | undefined> {
    return (await repository.hasBlob(digest, { signal })) ? "Layer already exists" : undefined
  }

  async function mounted({ digest }: LayerForm, from: readonly string[], to: SendTo): Promise<string | undefined> {
    const { repository, signal } = to
    for (const source of from)
      try {
        if (await repository.mount(digest, source, { signal })) return `Mounted from ${source}`
      } catch (error) {
        // A repository that this user may not read is no source.
        if (!(error instanceof RefusedError)) throw error
      }
    return undefined
  }

  /** The bytes of `form` out of the tar; undefined where nobody knows how. */
  async function recreated(form: LayerForm, diffId: Digest, to: SendTo): Promise<string | undefined> {
    const { repository, signal } = to
    if (!content.has(diffId)) return undefined
    if (form.kind === "none") {
      await repository.upload({ bytes: () => reported(plain(diffId), form.size, to, diffId), known: form }, { signal })
      return "Pushed"
    }
    const source = layerSources.find(form.digest)
    if (source === undefined || source.diff_id !== diffId) return undefined
    const { sample } = source
    const recipe =
      source.recipe ?? (sample === undefined ? undefined : await findRecipe(sample, () => plain(diffId), { signal }))
    if (recipe === undefined) return undefined
    const path = content.path(diffId)
    const bytes = () => reported(remakeFile(recipe, path, { internalCommand, signal }), form.size, to, diffId)
    try {
      await repository.upload({ bytes, expect: form }, { signal })
    } catch (error) {
      // It began the same and went on otherwise.
      if (isKind(error, "invalid")) return undefined
      throw error
    }
    layerSources.remember({ ...source, recipe })
    return "Pushed"
  }

  /** Straight from a registry that has it, through here: neither side waits for the other to be done. */
  async function copied(form: LayerForm, diffId: Digest, to: SendTo): Promise<string | undefined> {
    const { digest, size } = form
    const { domain, path, credentials, limit, progress, repository, signal } = to
    const places = blobPlaces.of(digest).filter((place) => place.domain !== domain || place.path !== path)
    for (const place of places.slice(0, MOST_SOURCES)) {
      const name = `${place.domain}/${place.path}`
      try {
        const source = registries.repository(place, {
          access: "pull",
          ...(limit === undefined ? {} : { limit }),
          ...(credentials === undefined || place.domain !== domain ? {} : { credentials }),
        })
        if (!(await source.hasBlob(digest, { signal }))) continue
        progress({ status: `Copying from ${name}`, progressDetail: {}, id: shortId(diffId) })
        const bytes = () => reported(source.blob(form, { signal }), size, to, diffId)
        await repository.upload({ bytes, known: { digest, size } }, { signal })
        return `Copied from ${name}`
      } catch (error) {
        if (signal.aborted) throw error
        // Whether it was the source or the target that failed: the next way shows.
        progress({ status: `Cannot copy from ${name}: ${reason(error)}`, progressDetail: {}, id: shortId(diffId) })
      }
    }
    return undefined
  }

  /** Under a digest that nobody has seen before. */
  async function compressed(diffId: Digest, compression: LayerCompression | undefined, to: SendTo): Promise<Sent> {
    const { repository, signal } = to
    const { kind = "gzip" } = compression ?? {}
    const total = content.stat(diffId)?.size
    if (total === undefined) throw new DhowError("internal", `Layer "${diffId}" is not in the content store`)
    if (kind === "none") {
      const form = { digest: diffId, size: total, kind }
      await repository.upload({ bytes: () => reported(plain(diffId), total, to, diffId), known: form }, { signal })
      return { ...form, status: "Pushed" }
    }
    const { level = kind === "zstd" ? DEFAULT_LEVEL.zstd : undefined } = compression ?? {}
    const recipe = level === undefined ? USUAL_RECIPE : { kind, level }
    const bytes = () =>
      recipe.members === true
        ? // How far it has read is known to the other process only: what is sent counts.
          reported(remakeFile(recipe, content.path(diffId), { internalCommand, signal }), undefined, to, diffId)
        : compress(kind, reported(plain(diffId), total, to, diffId), { level: recipe.level, signal })
    const { digest, size } = await repository.upload({ bytes }, { signal })
    const media_type = kind === "gzip" ? MEDIA_TYPE.ociLayerGzip : MEDIA_TYPE.ociLayerZstd
    layerSources.remember({ digest, diff_id: diffId, media_type, size, recipe })
    return { digest, size, kind, status: "Pushed" }
  }

  async function* plain(diffId: Digest): AsyncGenerator<Uint8Array> {
    for await (const chunk of createReadStream(content.path(diffId), { highWaterMark: READ_SIZE }))
      yield chunk as Buffer
  }

  return { present, mounted, recreated, copied, compressed }
}

async function* reported(
  source: AsyncIterable<Uint8Array>,
  total: number | undefined,
  { progress }: SendTo,
  diffId: Digest,
): AsyncGenerator<Uint8Array> {
  const id = shortId(diffId)
  let current = 0
  let next = 0
  for await (const chunk of source) {
    current += chunk.length
    const now = performance.now()
    if (now >= next) {
      next = now + REPORT_MILLISECONDS
      progress({ status: "Pushing", progressDetail: { current, ...(total === undefined ? {} : { total }) }, id })
    }
    yield chunk
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
