// The `directory` snapshotter: the contract that all share, and what is its own. Needs root.
import { afterAll, beforeAll, expect, test } from "bun:test"
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
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

test("a layer unpacked in a user namespace is without its devices, and hides what its whiteouts say", async () => {
  const parts = [
    encodeTarHeader({ path: "dev/null", type: "character-device", device: { major: 1, minor: 3 }, mode: 0o666 }),
    encodeTarHeader({ path: "dev/disk", type: "block-device", device: { major: 8, minor: 0 } }),
    encodeTarHeader({ path: "dev/pipe", type: "fifo" }),
    encodeTarHeader({ path: "etc/.wh.gone", type: "file" }),
    encodeTarHeader({ path: "etc/kept", type: "file" }),
  ]
  const tar = join(root, "devices.tar")
  writeFileSync(tar, Buffer.concat([...parts, Buffer.alloc(1024)]))
  const layer = join(root, "devices")
  mkdirSync(join(layer, "fs"), { recursive: true })
  const unpack = [...internalCommand, "unpack-layer", tar, layer]
  const made = Bun.spawnSync(["unshare", "-Ur", ...unpack, "user.overlay."])
  expect(JSON.parse(made.stdout.toString())).toEqual({ layer: { size: 0, files: 5, rooted: false } })
  expect(readdirSync(join(layer, "fs/dev"))).toEqual(["pipe"])
  expect(readdirSync(join(layer, "fs/etc")).sort()).toEqual(["gone", "kept"])
  expect(lstatSync(join(layer, "fs/etc/gone"))).toMatchObject({ rdev: 0, size: 0 })
})
