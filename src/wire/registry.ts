// What the API says about registries: who the user is to them, what they offer. Types only.
import type { Descriptor } from "../oci/manifest.ts"
import type { Platform } from "../oci/platform.ts"

/** X-Registry-Auth (as base64url JSON) and the body of POST /auth. */
export type AuthConfig = {
  readonly username?: string
  readonly password?: string
  readonly serveraddress?: string
  /** Exchanged for access tokens, in place of a password. */
  readonly identitytoken?: string
  /** Sent to the registry as it is. */
  readonly registrytoken?: string
}

/** POST /auth */
export type AuthResponse = { readonly Status: string; readonly IdentityToken: string }

/** GET /images/search */
export type SearchResult = {
  readonly name: string
  readonly description: string
  readonly star_count: number
  readonly is_official: boolean
  readonly is_automated: boolean
}

/** GET /distribution/{name}/json */
export type DistributionInspect = {
  readonly Descriptor: Pick<Descriptor, "mediaType" | "digest" | "size">
  readonly Platforms: readonly Platform[]
}
