// Lines of POST /dhow/fsck: what is being read, what was found, and at last the count. Types only.

export type FsckLine = FsckProgress | FsckFinding | FsckSummary

export type FsckProgress = {
  readonly kind: "progress"
  /** "layer sha256:…": what is read now. */
  readonly object: string
  /** Bytes. */
  readonly done: number
  readonly total: number
}

export type FsckFinding = {
  readonly kind: "finding"
  /** A note is something that harms nothing, as the leavings of a crash. */
  readonly severity: "damage" | "note"
  readonly object: string
  readonly problem: string
  /** Names or ids of images that need it. */
  readonly images: readonly string[]
  /** Names of containers that need it. */
  readonly containers: readonly string[]
  /** What was done about it, or why nothing could be. */
  readonly repair?: { readonly done: boolean; readonly text: string }
}

export type FsckSummary = {
  readonly kind: "summary"
  readonly blobs: number
  readonly layers: number
  readonly images: number
  readonly containers: number
  readonly volumes: number
  /** Bytes that were read and hashed. */
  readonly bytes: number
  readonly damaged: number
  readonly repaired: number
  readonly notes: number
  readonly seconds: number
}
