// What a reader of archives found: something a tag can point to, the images it holds, and the names it came with.
import type { Digest } from "../../../oci/digest.ts"
import type { StoredImage } from "../assemble.ts"

export type LoadedTarget = {
  readonly target: Digest
  readonly images: readonly StoredImage[]
  /** Canonical. */
  readonly names: readonly string[]
}
