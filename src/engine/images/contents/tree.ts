// All images as a forest: a layer stands on those below it, and images that begin with the same layers share a branch.
import type { Digest } from "../../../oci/digest.ts"
import { formatPlatform } from "../../../oci/platform.ts"
import type { ImageForest, TreeImage, TreeLayer } from "../../../wire/image-contents.ts"
import { chainIdsOf, layerSize } from "../chains.ts"
import { familiar, type ImagesContext, isCanonical } from "../context.ts"
import { platformOf } from "../records.ts"
import { createdBy } from "./layers.ts"

type TreeContext = Pick<ImagesContext, "records" | "configs" | "snapshotter">
type Growing = Omit<TreeLayer, "images" | "children" | "users"> & {
  users: number
  readonly images: Digest[]
  readonly children: Map<Digest, Growing>
}

export function imageTree(context: TreeContext): ImageForest {
  const { records, configs, snapshotter } = context
  const roots = new Map<Digest, Growing>()
  const byChain = new Map<Digest, Growing>()
  const bare: Digest[] = []
  const rows = records.images()
  for (const { id } of rows) {
    const config = configs.read(id)
    const layers = config.rootfs.diff_ids
    const makers = createdBy(config)
    let level = roots
    let top: Growing | undefined
    for (const [at, chainId] of chainIdsOf(layers).entries()) {
      const diffId = layers[at]!
      const fresh = { chainId, diffId, size: layerSize(snapshotter, diffId), createdBy: makers[at]! }
      top = level.get(chainId) ?? { ...fresh, users: 0, images: [], children: new Map() }
      level.set(chainId, top)
      byChain.set(chainId, top)
      top.users++
      level = top.children
    }
    if (top === undefined) bare.push(id)
    else top.images.push(id)
  }
  const describe = (id: Digest): TreeImage => describeImage(context, id, byChain)
  const sizes = new Map([...byChain.values()].map(({ diffId, size }) => [diffId, size]))
  return {
    layers: finish(roots, describe),
    bare: bare.map(describe),
    size: [...sizes.values()].reduce((sum, size) => sum + size, 0),
  }
}

function describeImage(
  { records, configs }: TreeContext,
  id: Digest,
  byChain: ReadonlyMap<Digest, Growing>,
): TreeImage {
  const chain = chainIdsOf(configs.read(id).rootfs.diff_ids).map((chainId) => byChain.get(chainId)!)
  const sum = (layers: readonly Growing[]): number => layers.reduce((total, { size }) => total + size, 0)
  const size = sum(chain)
  const shared = sum(chain.filter(({ users }) => users > 1))
  const names = records.tagsOf(id).flatMap(({ reference }) => (isCanonical(reference) ? [] : familiar(reference)))
  return { id, names, platform: formatPlatform(platformOf(records.image(id)!)), size, shared, unique: size - shared }
}

/** The largest branch first. */
function finish(level: ReadonlyMap<Digest, Growing>, describe: (id: Digest) => TreeImage): readonly TreeLayer[] {
  return [...level.values()]
    .map(
      (layer): TreeLayer => ({
        ...layer,
        images: layer.images.map(describe).sort((a, b) => compare(labelOf(a), labelOf(b))),
        children: finish(layer.children, describe),
      }),
    )
    .sort((a, b) => b.size - a.size || compare(a.chainId, b.chainId))
}

function labelOf({ names, id }: TreeImage): string {
  return names[0] ?? id
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
