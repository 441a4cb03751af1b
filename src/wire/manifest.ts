// dhow's own endpoints for manifest lists, below /dhow/manifests. Types only.
import type { Digest } from "../oci/digest.ts"

export type ManifestPlatform = {
  readonly architecture: string
  readonly os: string
  readonly "os.version"?: string
  readonly "os.features"?: readonly string[]
  readonly variant?: string
}

export type ManifestDescriptor = {
  readonly mediaType: string
  readonly digest: Digest
  readonly size: number
  readonly platform?: ManifestPlatform
}

/** A manifest or a list of them, of a registry or put together here. */
export type ManifestInspect = {
  /** "docker.io/library/app:1", with the digest behind it for an entry of a list. */
  readonly Ref: string
  readonly Descriptor: ManifestDescriptor
  /** base64 of the bytes as they are. */
  readonly Raw: string
  /** Of a list that is here, or when they were asked for. */
  readonly Manifests?: readonly ManifestInspect[]
}

export type ManifestAnnotate = {
  readonly Manifest: string
  readonly Os?: string
  readonly Architecture?: string
  readonly Variant?: string
  readonly OsVersion?: string
  readonly OsFeatures?: readonly string[]
}
