// What a layer is on disk. The snapshotter gives each a directory of its own, made under a temporary name and renamed when
// the layer is whole; everything inside is the form's.
import type { Digest } from "../oci/digest.ts"
import type { LayerUsage, Snapshotter } from "./contract.ts"

export type LayerRoot = { readonly mode: number; readonly uid: number; readonly gid: number }

export type MadeLayer = LayerUsage & {
  /** Whether the layer says what its root directory's mode and owner are. */
  readonly rooted: boolean
}

export type LayerRequest = {
  readonly diffId: Digest
  /** The uncompressed tar. */
  readonly tar: string
  /** Empty; under its temporary name. */
  readonly directory: string
  /** Whiteouts speak to overlayfs in "user." attributes. */
  readonly userXattr: boolean
  readonly signal: AbortSignal | undefined
}

export interface LayerForm {
  readonly name: Snapshotter["name"]
  make(request: LayerRequest): Promise<MadeLayer>
  /** The layer has its final name; the row follows. */
  renamed(directory: string): void
  /** Where the layer's files can be seen, once open() was called. */
  where(key: string, directory: string): string
  /** Makes the layer's files visible and returns where. On the way of every start. */
  open(key: string, directory: string): string
  /** Undoes open(), before the layer's directory is removed. */
  close(key: string): void
  /** Mode and owner of the layer's root directory. */
  root(directory: string): LayerRoot
  /** At the start: false where a power failure took the layer, or a part of it. */
  survived(directory: string): boolean
  /** Compares a layer with the same one made anew: what differs, or undefined. */
  difference(directory: string, anew: string, signal?: AbortSignal): Promise<string | undefined>
  /** Takes away what open() left of layers that are gone and says so; layers that are not in use may be closed too. */
  sweep(inUse: ReadonlySet<string>): readonly string[]
}
