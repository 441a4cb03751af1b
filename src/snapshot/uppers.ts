// What was written to snapshots, read: as a list of changes, as the tar of a layer, or as the tar of the whole tree. The
// layers beneath are mounted for as long as it takes, at a place that the next start of the engine sweeps.
import { randomBytes } from "node:crypto"
import { mkdirSync, readdirSync, rmdirSync } from "node:fs"
import { join } from "node:path"
import { ensureDirectory } from "../lib/files.ts"
import { unmountAll } from "../lib/syscalls/mount.ts"
import type { Digest } from "../oci/digest.ts"
import type { Snapshotter } from "./contract.ts"
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

  function view(layers: readonly Digest[]): Disposable & { readonly path: string } {
    // Closed to other users of the host, as the layers themselves are.
    ensureDirectory(directory, 0o700)
    const path = join(directory, randomBytes(6).toString("hex"))
    mkdirSync(path, { mode: 0o700 })
    try {
      snapshotter.view(layers, path)
    } catch (error) {
      rmdirSync(path)
      throw error
    }
    return { path, [Symbol.dispose]: () => clear(path) }
  }

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
    sweep() {
      ensureDirectory(directory, 0o700)
      for (const name of readdirSync(directory)) clear(join(directory, name))
    },
  }
}

function clear(path: string): void {
  unmountAll(path)
  rmdirSync(path)
}
