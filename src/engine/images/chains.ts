// Chain ids: a layer together with all that lies beneath it. Two images share a layer, in Docker's counting, only when
// they share the whole stack up to it.
import { type Digest, digestOf } from "../../oci/digest.ts"
import type { Snapshotter } from "../../snapshot/contract.ts"

/** The chain id at each height of the stack, lowest first. */
export function chainIdsOf(layers: readonly Digest[]): readonly Digest[] {
  const chains: Digest[] = []
  for (const layer of layers) {
    const below = chains.at(-1)
    chains.push(below === undefined ? layer : digestOf(`${below} ${layer}`))
  }
  return chains
}

/** Bytes of a layer; 0 while one that a crash took is not made anew yet. */
export function layerSize(snapshotter: Snapshotter, layer: Digest): number {
  return snapshotter.hasLayer(layer) ? snapshotter.layerSize(layer) : 0
}
