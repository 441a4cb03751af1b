// Which image of several platforms is meant: exactly the one that was named. Only when the caller named none, the host's,
// an older variant of it, and then anything that is there.
import { hostPlatform, type Platform, platformDistance } from "../../oci/platform.ts"

export type PlatformChoice = {
  /** Takes what the wanted platform runs as well: 386 for amd64, arm/v6 for arm64. */
  readonly compatible?: boolean
  /** Takes an older variant of the wanted architecture: arm/v6 for arm/v7. */
  readonly older?: boolean
}

export function choosePlatform<T>(
  candidates: readonly T[],
  platformOf: (candidate: T) => Platform,
  wanted?: Platform,
  { compatible = false, older = compatible }: PlatformChoice = {},
): T | undefined {
  const target = wanted ?? hostPlatform()
  let best: { readonly candidate: T; readonly distance: number } | undefined
  for (const candidate of candidates) {
    const distance = platformDistance(target, platformOf(candidate), { compatible: compatible || wanted === undefined })
    if (wanted !== undefined && (older ? distance === Number.POSITIVE_INFINITY : distance > 0)) continue
    if (best === undefined || distance < best.distance) best = { candidate, distance }
  }
  return best?.candidate
}
