// The `directory` snapshotter: the contract that all share, and what is its own. Needs root.
import { afterAll, beforeAll, expect, test } from "bun:test"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { encodeTarHeader } from "../../src/lib/tar/writer.ts"
import { digestOf } from "../../src/oci/digest.ts"
import type { Snapshotter } from "../../src/snapshot/contract.ts"
import { unpackedLayers } from "../../src/snapshot/directory.ts"
import { OverlaySnapshotter } from "../../src/snapshot/overlay-snapshotter.ts"
import { Database } from "../../src/state/database.ts"
import { snapshotterContract } from "./contract.ts"
import { crashContract } from "./crash-contract.ts"
import { trashIsEmpty } from "./fixture.ts"

const internalCommand = [process.execPath, join(import.meta.dir, "internal.ts")]
const diffId = digestOf("any layer")

const open = (database: Database, directory: string): Snapshotter =>
  new OverlaySnapshotter(database, directory, { forms: [unpackedLayers({ internalCommand })], reason: "test" })

snapshotterContract("directory", open)
crashContract("directory")

let root: string
let archive: string

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "dhow-directory-"))
  archive = join(root, "layer.tar")
  writeFileSync(archive, Buffer.concat([encodeTarHeader({ path: "a", type: "file" }), Buffer.alloc(1024)]))
})

afterAll(() => rmSync(root, { recursive: true, force: true }))

/** The marks of layers that are not yet durable. */
function unsynced(snapshots: string): string[] {
  return readdirSync(snapshots)
    .filter((name) => !name.startsWith("."))
    .map((name) => join(snapshots, name, "unsynced"))
    .filter((path) => existsSync(path))
}

async function becomesTrue(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000
  while (!condition() && Date.now() < deadline) await Bun.sleep(5)
  expect(condition()).toBe(true)
}

test("a layer that was on disk before the machine went down is kept, any other is forgotten", async () => {
  const snapshots = join(root, "power", "snapshots")
  mkdirSync(snapshots, { recursive: true })
  const database = Database.open(join(root, "power", "dhow.db"))
  await open(database, snapshots).addLayer(diffId, archive)
  await becomesTrue(() => unsynced(snapshots).length === 0)
  expect(open(database, snapshots).hasLayer(diffId)).toBe(true)

  const [key] = readdirSync(snapshots).filter((name) => !name.startsWith("."))
  writeFileSync(join(snapshots, key!, "unsynced"), "another boot")
  const again = open(database, snapshots)
  expect(again.hasLayer(diffId)).toBe(false)
  expect(again.sweep()).toEqual([join(snapshots, key!)])
  await trashIsEmpty(snapshots)
  await again.addLayer(diffId, archive)
  expect(again.hasLayer(diffId)).toBe(true)
  database.close()
})
