// Which manifest of an index is fetched. Exactly the platform that was asked for; without a question the host's, or an
// older variant of it that the host runs as well. Never another architecture in silence.
import { DhowError } from "../../../lib/errors.ts"
import type { Descriptor, ImageIndex } from "../../../oci/manifest.ts"
import { formatPlatform, hostPlatform, normalizePlatform, type Platform, samePlatform } from "../../../oci/platform.ts"

export function pickManifest({ manifests }: ImageIndex, asked?: Platform, host = hostPlatform()): Descriptor {
  const images = manifests.filter((one) => one.annotations?.["vnd.docker.reference.type"] === undefined)
  const found =
    images.find((one) => isPlatform(one, asked ?? host)) ?? (asked === undefined ? older(images, host) : undefined)
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

function isPlatform({ platform }: Descriptor, wanted: Platform): boolean {
  return isKnown(platform) && samePlatform(platform, wanted)
}

/** The highest variant below the host's: v6 for v7, plain amd64 for amd64/v3. */
function older(images: readonly Descriptor[], host: Platform): Descriptor | undefined {
  const level = (platform: Platform): number => Number(normalizePlatform(platform).variant?.replace(/^v/, "") ?? 0)
  return images
    .filter(({ platform }) => isKnown(platform) && platform.os === host.os && sameArchitecture(platform, host))
    .filter(({ platform }) => level(platform!) < level(host))
    .sort((a, b) => level(b.platform!) - level(a.platform!))[0]
}

function sameArchitecture(a: Platform, b: Platform): boolean {
  return normalizePlatform(a).architecture === normalizePlatform(b).architecture
}
