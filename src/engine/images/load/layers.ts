// The promise that makes an image trustworthy: each layer unpacks to the diff id that its configuration names.
import { DhowError } from "../../../lib/errors.ts"
import type { ImageConfig } from "../../../oci/image-config.ts"
import type { Spooled } from "./spool.ts"

export function checkLayers(
  layers: readonly (Spooled | undefined)[],
  { rootfs }: ImageConfig,
  names: readonly string[],
): void {
  const expected = rootfs.diff_ids
  if (layers.length !== expected.length)
    throw new DhowError(
      "invalid",
      `invalid manifest, layers length mismatch: expected ${layers.length}, got ${expected.length}`,
    )
  for (const [at, layer] of layers.entries()) {
    if (layer === undefined) throw new DhowError("invalid", `Image archive lacks the layer "${names[at]}"`)
    if (layer.plain !== expected[at])
      throw new DhowError("invalid", `invalid diffID for layer ${at}: expected "${expected[at]}", got "${layer.plain}"`)
  }
}
