// Registries of others, as the engine offers them: logins, questions, and lists of manifests.
import type { ManifestInspect } from "../../wire/manifest.ts"
import type { AuthConfig, AuthResponse, DistributionInspect, SearchResult } from "../../wire/registry.ts"
import type { Filters } from "./filters.ts"
import type { Progress } from "./images.ts"

/** How a request speaks to registries. */
export type RegistryUse = {
  /** The header X-Registry-Config as it came: who the user is, by registry. */
  readonly auths?: string
  /** Certificates need not verify, and plain HTTP will do. */
  readonly insecure: boolean
}

/** Lists of manifests, one for each platform: put together here, then pushed. References are as users write them. */
export interface Manifests {
  /** Resolves with the list's canonical name. Entries are images that are here, or else of their registries. */
  create(
    list: string,
    manifests: readonly string[],
    options: RegistryUse & { readonly amend: boolean; readonly signal: AbortSignal },
  ): Promise<{ readonly Reference: string }>
  /** Changes what the list says of an entry's platform. */
  annotate(
    list: string,
    manifest: string,
    changes: {
      readonly os?: string
      readonly architecture?: string
      readonly variant?: string
      readonly osVersion?: string
      readonly osFeatures?: readonly string[]
    },
  ): Promise<void>
  /** A list that is here, else what the registry has; an entry of a list where that is named. */
  inspect(
    reference: string,
    options: RegistryUse & {
      readonly list?: string
      /** No registry is asked. */
      readonly local: boolean
      /** With the manifests that a list names. */
      readonly verbose: boolean
      readonly signal: AbortSignal
    },
  ): Promise<ManifestInspect>
  push(
    list: string,
    options: RegistryUse & { readonly purge: boolean; readonly progress: Progress; readonly signal: AbortSignal },
  ): Promise<void>
  remove(list: string): Promise<void>
}

/** Other registries, beside the moving of images. */
export interface RegistryAccess {
  /** Throws unauthorized, in Docker's words, when the registry does not know the user. */
  login(auth: AuthConfig, options: { readonly signal: AbortSignal }): Promise<AuthResponse>
  /** `term` is a word, or a registry, a slash and a word. */
  search(
    term: string,
    options: {
      readonly limit?: number
      readonly filters: Filters
      /** The header X-Registry-Auth as it came. */
      readonly auth?: string
      readonly signal: AbortSignal
    },
  ): Promise<SearchResult[]>
  /** What a registry has under a name, whatever is here. */
  distribution(
    reference: string,
    options: { readonly auth?: string; readonly signal: AbortSignal },
  ): Promise<DistributionInspect>
}
