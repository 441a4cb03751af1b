// What a distribution's recipe yields: the bytes of a root file system and what to say about it. Same packages, same
// bytes, same digest.
import type { Platform } from "../../../oci/platform.ts"
import type { Progress } from "../../contract.ts"

export type Recipe = {
  /** "busybox" or "debian": the repository under distro.local. */
  readonly name: string
  readonly tag: string
  readonly platform: Platform
}

export type RootFileSystem = {
  readonly tar: AsyncIterable<Uint8Array>
  /** Known once the tar was read to its end; throws when the build failed after all. */
  finish(): Promise<{
    /** "name=version", sorted. */
    readonly packages: readonly string[]
    readonly created: Date
    readonly labels: Readonly<Record<string, string>>
    readonly cmd: readonly string[]
    readonly createdBy: string
  }>
}

export type RecipeOptions = {
  /** An empty directory that is removed afterwards, whatever happens. */
  readonly directory: string
  readonly progress: Progress
  readonly signal: AbortSignal
}
