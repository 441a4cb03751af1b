// One layer over the wire into the content store. The compressed bytes of a large one also go to a file, from which an
// interrupted transfer goes on; they are dropped once the tar is stored, and whenever they turn out to be wrong.
import { decompress } from "../../../lib/compression.ts"
import { DhowError, FULL_DISK, isKind } from "../../../lib/errors.ts"
import type { Repository } from "../../../registry/contract.ts"
import type { Progress } from "../../contract.ts"
import type { ImagesContext } from "../context.ts"
import { layerLimit } from "../limits.ts"
import { Sample } from "../recipes.ts"
import type { PulledLayer } from "./layers.ts"
import { assembled } from "./parts.ts"

/** What is smaller is fetched again sooner than it is looked up. */
const WORTH_KEEPING = 1 << 20
const REPORT_MILLISECONDS = 100

type TransferContext = Pick<ImagesContext, "content" | "layerSources" | "root">
type TransferOptions = {
  readonly repository: Repository
  readonly progress: Progress
  readonly signal: AbortSignal
}

export async function transferLayer(
  context: TransferContext,
  layer: PulledLayer,
  options: TransferOptions,
): Promise<void> {
  const { content, root } = context
  const { digest, size } = layer.descriptor
  if (content.has(layer.diffId)) return
  if (!(Number.isSafeInteger(size) && size >= 0 && size <= layerLimit(root)))
    throw new DhowError("invalid", `Layer "${digest}" of ${size} bytes does not fit on this disk`, { hint: FULL_DISK })
  const fromStart = () =>
    store(context, layer, { ...options, source: options.repository.blob(layer.descriptor, options) })
  if (size < WORTH_KEEPING) return await fromStart()
  await using partial = content.partial({ digest, size })
  const isResumed = partial.filled > 0
  try {
    await store(context, layer, { ...options, source: assembled(partial, layer.descriptor, options) })
    partial.discard()
  } catch (error) {
    if (!isKind(error, "invalid")) throw error
    // What was kept may be what is wrong: a power failure takes the end of a file. Once more, from the start.
    partial.discard()
    if (!isResumed) throw error
    await fromStart()
  }
}

async function store(
  context: TransferContext,
  { descriptor, diffId, id }: PulledLayer,
  { source, progress, signal }: TransferOptions & { readonly source: AsyncIterable<Uint8Array> },
): Promise<void> {
  const { digest, size: total, mediaType } = descriptor
  let next = 0
  let current = 0
  const sample = new Sample()
  async function* watched(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      sample.add(chunk)
      current += chunk.length
      const now = performance.now()
      if (now >= next) {
        next = now + REPORT_MILLISECONDS
        progress({ status: "Downloading", progressDetail: { current, total }, id })
      }
      yield chunk
    }
    progress({ status: "Verifying Checksum", progressDetail: {}, id })
  }
  const { bytes, compression } = await decompress(watched(), { signal })
  const expect = { digest: diffId }
  await context.content.ingest(bytes, { expect, limit: layerLimit(context.root), signal })
  if (compression !== "none")
    context.layerSources.remember({
      digest,
      diff_id: diffId,
      media_type: mediaType,
      size: total,
      sample: sample.bytes,
    })
}
