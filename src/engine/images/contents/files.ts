// What the files of images are: what each layer did, and how two images, or an image and a container, differ.

import { isKind } from "../../../lib/errors.ts"
import type { Digest } from "../../../oci/digest.ts"
import type { Platform } from "../../../oci/platform.ts"
import type { Stacks } from "../../../snapshot/stacks.ts"
import type { Uppers } from "../../../snapshot/uppers.ts"
import type { FileDifference, FilesLine, FilesRequest } from "../../../wire/image-contents.ts"
import type { ImagesContext } from "../context.ts"
import { layerLimit } from "../limits.ts"
import { findImage } from "../resolve.ts"
import { createdBy, tarsOf } from "./layers.ts"

type Read = { readonly platform?: Platform; readonly signal: AbortSignal }
/** A container, as far as its files go; throws not-found. */
export type FindContainer = (reference: string) => { readonly id: string; readonly layers: readonly Digest[] }

export function imageFiles(
  context: ImagesContext,
  stacks: Stacks,
  { reference, request, platform, signal }: Read & { readonly reference: string; readonly request: FilesRequest },
): AsyncIterable<FilesLine> {
  const config = context.configs.read(findImage(context.records, reference, platform).id)
  const layers = config.rootfs.diff_ids
  const makers = createdBy(config)
  const tars = tarsOf(context, layers)
  async function* lines(): AsyncGenerator<FilesLine> {
    using lease = context.content.lease()
    for (const layer of layers) lease.hold(layer)
    for await (const line of stacks.files(tars, request, signal)) {
      if ("file" in line) yield line
      else {
        const at = line.layer.layer - 1
        yield { layer: { ...line.layer, diffId: layers[at]!, createdBy: makers[at]! } }
      }
    }
  }
  return lines()
}

/** Each name is an image's, or else a container's. */
export function imageDifference(
  context: ImagesContext,
  parts: { readonly stacks: Stacks; readonly uppers: Uppers; readonly container: FindContainer },
  options: Read & { readonly before: string; readonly after: string; readonly times: boolean },
): AsyncIterable<FileDifference> {
  const { signal, times, platform } = options
  const stackOf = (name: string) => findStack(context, parts, name, platform)
  const [before, after] = [stackOf(options.before), stackOf(options.after)]
  async function* lines(): AsyncGenerator<FileDifference> {
    // What a container wrote is stored for as long as it is looked at.
    using lease = context.content.lease()
    try {
      const tarsFor = async ({ layers, written }: Found): Promise<readonly string[]> => {
        for (const layer of layers) lease.hold(layer)
        if (written === undefined) return tarsOf(context, layers)
        const bytes = parts.uppers.layer({ key: written, layers }, signal)
        const { digest } = await context.content.ingest(bytes, { limit: layerLimit(context.root), signal })
        lease.hold(digest)
        return tarsOf(context, [...layers, digest])
      }
      yield* parts.stacks.difference(await tarsFor(before), await tarsFor(after), { times, signal })
    } finally {
      lease[Symbol.dispose]()
      if (before.written !== undefined || after.written !== undefined) await context.collect()
    }
  }
  return lines()
}

type Found = { readonly layers: readonly Digest[]; readonly written?: string }

function findStack(
  context: ImagesContext,
  { container }: { readonly container: FindContainer },
  name: string,
  platform: Platform | undefined,
): Found {
  try {
    return { layers: context.configs.read(findImage(context.records, name, platform).id).rootfs.diff_ids }
  } catch (error) {
    // A container's name may be no image's reference at all.
    if (!isKind(error, "not-found") && !isKind(error, "invalid")) throw error
    const found = attempt(() => container(name))
    if (found === undefined) throw error
    return { layers: found.layers, written: found.id }
  }
}

function attempt<T>(find: () => T): T | undefined {
  try {
    return find()
  } catch (error) {
    if (isKind(error, "not-found")) return undefined
    throw error
  }
}
