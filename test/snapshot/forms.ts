// The forms of layers that this machine can have, and a layer in each of them beside what GNU tar makes of its archive.
import { expect } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { digestOf } from "../../src/oci/digest.ts"
import { probeErofs } from "../../src/snapshot/erofs/mount.ts"
import { openSnapshotter, type StorageDriver } from "../../src/snapshot/open.ts"
import { Fixture, type OpenSnapshotter } from "./fixture.ts"
import { unpackWithTar } from "./sample-tree.ts"
import { describeTree } from "./trees.ts"

const internalCommand = [process.execPath, join(import.meta.dir, "internal.ts")]

function canMount(): boolean {
  const place = mkdtempSync(join(tmpdir(), "dhow-forms-"))
  try {
    return probeErofs(join(place, "probe")) !== undefined
  } finally {
    rmSync(place, { recursive: true })
  }
}

export const FORMS: readonly StorageDriver[] = canMount() ? ["directory", "erofs"] : ["directory"]

export function opened(driver: StorageDriver): OpenSnapshotter {
  return (database, directory) =>
    openSnapshotter(database, { driver, directory, mounts: `${directory}-mounts`, internalCommand })
}

/** Returns how many files were compared. */
export async function expectTreeOfTar(tar: string): Promise<number> {
  let files = 0
  for (const form of FORMS) {
    await using fixture = new Fixture(opened(form))
    const expected = describeTree(unpackWithTar(tar, join(fixture.root, "unpacked")))
    const diffId = digestOf(tar)
    await fixture.snapshotter.addLayer(diffId, tar)
    fixture.snapshotter.view([diffId], fixture.target)
    const seen = describeTree(fixture.target)
    const differing = [...expected].filter(([path, line]) => seen.get(path) !== line)
    expect(differing.slice(0, 10).map(([path, line]) => [form, path, line, seen.get(path)])).toEqual([])
    expect(seen.size).toBe(expected.size)
    files = expected.size
  }
  return files
}
