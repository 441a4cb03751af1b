// What was written to snapshots, read: as a list of changes, as the tar of a layer, or as the tar of the whole tree. The
// layers beneath are mounted for as long as it takes, at a place that the next start of the engine sweeps.
import type { Digest } from "../oci/digest.ts"
import type { Snapshotter } from "./contract.ts"
import { type MountPlace, MountPlaces } from "./mount-places.ts"
import { processLines, processOutput } from "./tree-process.ts"
import type { Change } from "./upper/changes.ts"

export type { Change, ChangeKind } from "./upper/changes.ts"

/** A snapshot by its key, with the layers that it stands on, lowest first. */
export type Written = { readonly key: string; readonly layers: readonly Digest[] }

export type Uppers = {
  changes(of: Written, signal?: AbortSignal): AsyncGenerator<Change>
  /** The tar of a layer that makes the same of the same layers. */
  layer(of: Written, signal?: AbortSignal): AsyncGenerator<Uint8Array>
  /** The tar of all that the snapshot shows. */
  tree(of: Written, signal?: AbortSignal): AsyncGenerator<Uint8Array>
  /** Takes away what an engine before this one left mounted. */
  sweep(): void
}

export function openUppers(options: {
  readonly snapshotter: Snapshotter
  /** Directory for the mounts. */
  readonly directory: string
  readonly internalCommand: readonly string[]
}): Uppers {
  const { snapshotter, directory, internalCommand } = options

  const places = new MountPlaces(directory)
  const view = (layers: readonly Digest[]): MountPlace => places.hold((path) => snapshotter.view(layers, path))

  function commandFor(verb: string, { key }: Written, lower: string): readonly string[] {
    return [...internalCommand, verb, snapshotter.paths(key).upper, lower]
  }

  async function* bytes(verb: string, of: Written, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    using lower = view(of.layers)
    yield* processOutput(commandFor(verb, of, lower.path), signal)
  }

  return {
    async *changes(of, signal) {
      using lower = view(of.layers)
      yield* processLines<Change>(commandFor("upper-changes", of, lower.path), signal)
    },
    layer: (of, signal) => bytes("upper-layer", of, signal),
    tree: (of, signal) => bytes("upper-tree", of, signal),
    sweep: () => places.sweep(),
  }
}
