// Which manifest of an index is fetched. Exactly the platform that was asked for; without a question the host's, or an
// older variant of it that the host runs as well. Never another architecture in silence.
import { DhowError } from "../../../lib/errors.ts"
import type { Descriptor, ImageIndex } from "../../../oci/manifest.ts"
import { formatPlatform, hostPlatform, normalizePlatform, type Platform } from "../../../oci/platform.ts"
import { choosePlatform, type PlatformChoice } from "../choose-platform.ts"

export type PickOptions = PlatformChoice & { readonly host?: Platform }

export function pickManifest({ manifests }: ImageIndex, asked?: Platform, options: PickOptions = {}): Descriptor {
  const { compatible = false, host = hostPlatform() } = options
  const images = manifests.filter((one) => one.annotations?.["vnd.docker.reference.type"] === undefined)
  const known = images.filter(({ platform }) => isKnown(platform))
  const found = choosePlatform(known, ({ platform }) => platform!, asked ?? host, {
    compatible,
    older: compatible || asked === undefined,
  })
  // Some indexes of one image do not say for what it is; its configuration will.
  const [only] = images
  const nameless = images.length === 1 && only?.platform?.architecture === undefined ? only : undefined
  const chosen = found ?? nameless
  if (chosen !== undefined) return chosen
  const offered = images.flatMap(({ platform }) =>
    isKnown(platform) ? formatPlatform(normalizePlatform(platform)) : [],
  )
  throw new DhowError(
    "not-found",
    `no matching manifest for ${formatPlatform(asked ?? host)} in the manifest list entries`,
    offered.length === 0 ? {} : { hint: `It has ${[...new Set(offered)].slice(0, 20).join(", ")}` },
  )
}

function isKnown(platform: Platform | undefined): platform is Platform {
  return typeof platform?.os === "string" && typeof platform.architecture === "string" && platform.os !== "unknown"
}
