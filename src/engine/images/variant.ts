// The variant of an image whose configuration does not say one: older images of arm/v6 are such.
import type { Platform } from "../../oci/platform.ts"

/** What the index says, unless that speaks of another architecture; "" where nobody says anything. */
export function variantOf(named: Platform | undefined | null, architecture: string): string {
  const variant: unknown = named?.architecture === architecture ? named.variant : undefined
  return typeof variant === "string" && /^v\d{1,2}$/.test(variant) ? variant : ""
}
