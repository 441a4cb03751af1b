// Snapshots: file systems by key. A layer is read-only and named by its diff id; a snapshot is writable, stands on a
// stack of layers, and is named by a key its owner chooses (a container's id, a build step). Two implementations,
// `directory` and `erofs`, pass one contract suite.
import type { Digest } from "../oci/digest.ts"

export type LayerUsage = { readonly size: number; readonly files: number }

export interface Snapshotter {
  /** In which form new layers are kept. Those of the other one that are there stay usable. */
  readonly name: "directory" | "erofs"
  /** Why this form, and how many layers there are of each. */
  status(): {
    readonly reason: string
    readonly layers: readonly { readonly form: Snapshotter["name"]; readonly count: number }[]
  }
  hasLayer(diffId: Digest): boolean
  /**
   * Makes the layer whose uncompressed tar lies at `tar` mountable. Idempotent: stored at that diff id, not "because of
   * this call". A hostile tar is refused or contained, and leaves nothing.
   */
  addLayer(diffId: Digest, tar: string, signal?: AbortSignal): Promise<LayerUsage>
  /**
   * Makes the layer once more beside itself, from a tar that is known to be whole, and compares: says what differs, or
   * undefined where nothing does.
   */
  checkLayer(diffId: Digest, tar: string, signal?: AbortSignal): Promise<string | undefined>
  /** Puts the layer made anew in the place of what is there. No mounted snapshot stands on it. */
  remakeLayer(diffId: Digest, tar: string, signal?: AbortSignal): Promise<void>
  /** Removes a layer no snapshot stands on; conflict otherwise. */
  removeLayer(diffId: Digest): Promise<void>
  layerSize(diffId: Digest): number
  /** Creates an empty writable snapshot over `layers`, lowest first. Conflict when the key exists. */
  prepare(key: string, layers: readonly Digest[]): void
  /** Puts other layers below what was written to the snapshot, which is not mounted. */
  rebase(key: string, layers: readonly Digest[]): void
  /** Mounts the snapshot on the existing directory `target`. */
  mount(key: string, target: string): void
  /** Takes the mount away; fine when there is none. The snapshot stays. */
  unmount(target: string): void
  /** A read-only mount of the layers alone, for inspection and for reading users and programs of an image. */
  view(layers: readonly Digest[], target: string): void
  /**
   * Removes the snapshot and what was written to it: row first, files last. When it resolves they are out of sight; the
   * disk space comes back soon after. Fine when there is none.
   */
  remove(key: string): Promise<void>
  /** Keys of all snapshots. */
  keys(): readonly string[]
  /** Bytes written to the snapshot itself, without its layers. */
  usage(key: string): Promise<number>
  /**
   * Directory that holds what was written (overlay's upper), for diff and for GraphDriver.Data. The lower ones may show
   * their files only while the snapshot is mounted; view() is the way to read a layer.
   */
  paths(key: string): { readonly upper: string; readonly work: string; readonly lower: readonly string[] }
  /** Resolves when what was removed so far is off the disk. */
  settled(): Promise<void>
  /** Paths that no row names and nobody is making. */
  strays(): readonly string[]
  /** Removes these. Returns what was removed. */
  sweep(): readonly string[]
}
