// A snapshotter over a state of its own, and archives to give it. Files of what was removed go behind the caller's back,
// so the state is only taken away when that is done.
import { expect } from "bun:test"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { removeTree } from "../../src/lib/files.ts"
import { unmount } from "../../src/lib/syscalls/mount.ts"
import { type TarInput, writeTar } from "../../src/lib/tar/writer.ts"
import { type Digest, digestOf } from "../../src/oci/digest.ts"
import type { Snapshotter } from "../../src/snapshot/contract.ts"
import { Database } from "../../src/state/database.ts"

export type OpenSnapshotter = (database: Database, directory: string) => Snapshotter

export const file = (path: string, text: string, more: Partial<TarInput> = {}): TarInput => ({
  path,
  type: "file",
  content: Buffer.from(text),
  ...more,
})

export const directory = (path: string, more: Partial<TarInput> = {}): TarInput => ({
  path,
  type: "directory",
  ...more,
})

export class Fixture implements AsyncDisposable {
  readonly root = mkdtempSync(join(tmpdir(), "dhow-snapshot-"))
  /** Where snapshots are mounted. */
  readonly target = join(this.root, "target")
  readonly database = Database.open(join(this.root, "dhow.db"))
  readonly snapshotter: Snapshotter
  readonly #open: OpenSnapshotter

  constructor(open: OpenSnapshotter) {
    this.#open = open
    mkdirSync(this.target)
    this.snapshotter = this.again()
  }

  again(): Snapshotter {
    return this.#open(this.database, join(this.root, "snapshots"))
  }

  async archive(entries: readonly TarInput[]): Promise<{ readonly diffId: Digest; readonly path: string }> {
    const parts: Uint8Array[] = []
    for await (const chunk of writeTar(entries)) parts.push(chunk)
    const bytes = Buffer.concat(parts)
    const diffId = digestOf(bytes)
    const path = join(this.root, `${diffId.slice(7, 19)}.tar`)
    writeFileSync(path, bytes)
    return { diffId, path }
  }

  async layer(entries: readonly TarInput[]): Promise<Digest> {
    const { diffId, path } = await this.archive(entries)
    await this.snapshotter.addLayer(diffId, path)
    return diffId
  }

  read(path: string): string {
    return readFileSync(join(this.target, path), "utf8")
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.snapshotter.unmount(this.target)
    await trashIsEmpty(join(this.root, "snapshots"))
    this.database.close()
    unmountBelow(this.root)
    // A layer's process may still be making it durable.
    await removeTree(this.root)
  }
}

/** Takes away what a snapshotter keeps mounted, and says what it was. */
export function unmountBelow(root: string): readonly string[] {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .flatMap((line) => line.split(" ")[4] ?? [])
  const below = mounts.filter((path) => path.startsWith(`${root}/`))
  for (const path of below.toReversed()) unmount(path)
  return below
}

export async function trashIsEmpty(snapshots: string): Promise<void> {
  const deadline = Date.now() + 20_000
  while (readdirSync(join(snapshots, ".trash")).length > 0 && Date.now() < deadline) await Bun.sleep(2)
  expect(readdirSync(join(snapshots, ".trash"))).toEqual([])
}
