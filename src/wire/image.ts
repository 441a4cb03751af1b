// The Docker Engine API's image objects (API 1.51). Types only.
import type { ImageRunConfig } from "../oci/image-config.ts"

export type ManifestDescriptor = {
  mediaType: string
  digest: string
  size: number
  annotations?: Readonly<Record<string, string>>
  platform?: { architecture: string; os: string; variant?: string }
}

export type ImageManifestSummary = {
  ID: string
  Descriptor: ManifestDescriptor
  Available: boolean
  Size: { Content: number; Total: number }
  Kind: "image" | "attestation" | "unknown"
  ImageData?: {
    Platform: { architecture: string; os: string; variant?: string }
    Containers: string[]
    Size: { Unpacked: number }
    /**
     * dhow's own: the image's id, as lists without manifests show it, when it was made, in seconds, and the names that
     * lead to it, of those that lead to the image it stands with.
     */
    ImageID?: string
    Created?: number
    Names?: readonly string[]
  }
  AttestationData?: { For: string }
}

/** One row of GET /images/json. Created in seconds; sizes in bytes; Containers -1 when not counted. */
export type ImageSummary = {
  Containers: number
  Created: number
  Id: string
  Labels: Record<string, string> | null
  ParentId: string
  RepoDigests: string[]
  RepoTags: string[]
  SharedSize: number
  Size: number
  Manifests?: ImageManifestSummary[]
}

export type ImageInspect = {
  Id: string
  RepoTags: string[]
  RepoDigests: string[]
  Parent: string
  Comment: string
  Created: string
  DockerVersion: string
  Author: string
  Config: ImageRunConfig
  Architecture: string
  Variant?: string
  Os: string
  OsVersion?: string
  Size: number
  VirtualSize?: number
  GraphDriver: { Name: string; Data: Record<string, string> | null }
  RootFS: { Type: string; Layers: string[] }
  Metadata: { LastTagTime: string }
  Descriptor?: ManifestDescriptor
  Manifests?: ImageManifestSummary[]
}

export type ImageHistoryEntry = {
  Id: string
  Created: number
  CreatedBy: string
  Tags: string[] | null
  Size: number
  Comment: string
}
export type ImageDeleteEntry = { Untagged: string } | { Deleted: string }

/** One line of a pull, load, import, push or build answer. */
export type ProgressLine = {
  id?: string
  status?: string
  progress?: string
  progressDetail?: { current?: number; total?: number; start?: number; units?: string }
  stream?: string
  error?: string
  errorDetail?: { code?: number; message: string }
  aux?: unknown
}
