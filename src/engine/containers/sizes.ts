// Bytes of a container: what it wrote itself, and that with its image.
import type { Digest } from "../../oci/digest.ts"
import type { ContainerParts } from "./parts.ts"

export async function sizes(
  parts: ContainerParts,
  id: string,
  layers: readonly Digest[],
): Promise<{ SizeRw: number; SizeRootFs: number }> {
  const written = await parts.snapshotter.usage(id)
  const below = layers.reduce((sum, layer) => sum + parts.snapshotter.layerSize(layer), 0)
  return { SizeRw: written, SizeRootFs: written + below }
}
