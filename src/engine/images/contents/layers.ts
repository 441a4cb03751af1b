// The layers of an image as others ask for them: their tars, and which step of the history made each.
import type { Digest } from "../../../oci/digest.ts"
import type { ImageConfig } from "../../../oci/image-config.ts"
import type { ImagesContext } from "../context.ts"

/** Paths of the layers' tars, lowest first. */
export function tarsOf({ content }: Pick<ImagesContext, "content">, layers: readonly Digest[]): readonly string[] {
  return layers.map((layer) => content.path(layer))
}

/** What made each layer, lowest first; "" where nobody says. */
export function createdBy({ history = [], rootfs }: ImageConfig): readonly string[] {
  const steps = history.filter(({ empty_layer: isEmpty }) => isEmpty !== true)
  return rootfs.diff_ids.map((_, at) => steps[at]?.created_by ?? steps[at]?.comment ?? "")
}
