// The form of layers that works everywhere: each unpacked into a directory, <layer>/fs.
import { mkdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { treeDifference } from "../lib/same-tree.ts"
import { durabilityOf, makeDurable } from "./durability.ts"
import type { LayerForm, LayerRequest, LayerRoot, MadeLayer } from "./layer-form.ts"
import { layerProcess } from "./layer-process.ts"

export type DirectoryOptions = {
  /** Command line that runs an internal verb of this program: [program, "internal"]. */
  readonly internalCommand: readonly string[]
}

export function unpackedLayers(options: DirectoryOptions): LayerForm {
  return new UnpackedLayers(options)
}

class UnpackedLayers implements LayerForm {
  readonly name = "directory"
  readonly #command: readonly string[]

  constructor({ internalCommand }: DirectoryOptions) {
    this.#command = internalCommand
  }

  async make({ tar, directory, userXattr, signal }: LayerRequest): Promise<MadeLayer> {
    mkdirSync(join(directory, "fs"))
    const prefix = userXattr ? "user.overlay." : "trusted.overlay."
    return await layerProcess([...this.#command, "unpack-layer", tar, directory, prefix], signal)
  }

  renamed(): void {
    // Made durable by the process that unpacked it, behind the caller's back.
  }

  where(_key: string, directory: string): string {
    return join(directory, "fs")
  }

  open(key: string, directory: string): string {
    return this.where(key, directory)
  }

  close(): void {
    // Nothing was opened.
  }

  root(directory: string): LayerRoot {
    const { mode, uid, gid } = statSync(join(directory, "fs"))
    return { mode: mode & 0o7777, uid, gid }
  }

  difference(directory: string, anew: string, signal?: AbortSignal): Promise<string | undefined> {
    return treeDifference(join(directory, "fs"), join(anew, "fs"), signal)
  }

  survived(directory: string): boolean {
    // Only what is surely absent counts: a directory that cannot be read throws.
    const there = statSync(directory, { throwIfNoEntry: false }) !== undefined
    const durability = there ? durabilityOf(directory) : "lost"
    if (durability === "pending") void makeDurable(directory)
    return durability !== "lost"
  }

  sweep(): readonly string[] {
    return []
  }
}
