// Which image of several platforms is meant. An exact match wins; then the same architecture with another variant; and,
// only when the caller named no platform, anything that is there.
import { hostPlatform, normalizePlatform, type Platform } from "../../oci/platform.ts"

/** Lower is better: 0 exact, 1 runs on the same kind of processor, 2 another architecture or system. */
function distance(wanted: Platform, found: Platform): 0 | 1 | 2 {
  const a = normalizePlatform(wanted)
  const b = normalizePlatform(found)
  if (a.os !== b.os || a.architecture !== b.architecture) return 2
  return (a.variant ?? "") === (b.variant ?? "") ? 0 : 1
}

export function choosePlatform<T>(
  candidates: readonly T[],
  platformOf: (candidate: T) => Platform,
  wanted?: Platform,
): T | undefined {
  const target = wanted ?? hostPlatform()
  let best: { readonly candidate: T; readonly distance: number } | undefined
  for (const candidate of candidates) {
    const found = distance(target, platformOf(candidate))
    if (found === 2 && wanted !== undefined) continue
    if (best === undefined || found < best.distance) best = { candidate, distance: found }
  }
  return best?.candidate
}
