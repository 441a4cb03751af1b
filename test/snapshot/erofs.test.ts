// The `erofs` snapshotter: the contract that all share, in each way that this kernel can mount a layer. Needs root.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { probeErofs } from "../../src/snapshot/erofs/mount.ts"
import { indexedLayers } from "../../src/snapshot/erofs.ts"
import { OverlaySnapshotter } from "../../src/snapshot/overlay-snapshotter.ts"
import { snapshotterContract } from "./contract.ts"
import { crashContract } from "./crash-contract.ts"

const internalCommand = [process.execPath, join(import.meta.dir, "internal.ts")]

const place = mkdtempSync(join(tmpdir(), "dhow-erofs-"))
const ways = (["file", "loop"] as const).filter((way) => probeErofs(join(place, "probe"), [way]) === way)
rmSync(place, { recursive: true })

for (const way of ways)
  snapshotterContract(`erofs, mounted by ${way}`, (database, directory) => {
    const form = indexedLayers({ internalCommand, mounts: `${directory}-mounts`, way })
    return new OverlaySnapshotter(database, directory, { forms: [form], reason: "test" })
  })

if (ways.length > 0) crashContract("erofs")
