// dhow fsck: reads everything that is stored and follows every reference, while the engine goes on working. It deletes
// nothing; a repair replaces bytes by the very same bytes, and rows by what the bytes say.
import { DhowError } from "../../lib/errors.ts"
import type { FsckFinding, FsckLine } from "../../wire/fsck.ts"
import { layerSources } from "../images/layer-sources.ts"
import { imageRecords } from "../images/records.ts"
import { affectedBy } from "./affected.ts"
import { checkBlobs } from "./blobs.ts"
import type { Check, FsckOptions, FsckParts } from "./context.ts"
import { checkImages, checkNames, checkSnapshots } from "./images.ts"
import { checkLayers } from "./layers.ts"
import { checkContainers, checkDatabase, checkVolumes } from "./rows.ts"
import { checkStrays } from "./strays.ts"

const REPORT_MILLISECONDS = 250

export type Fsck = (options: FsckOptions, say: (line: FsckLine) => void) => Promise<void>

export function openFsck(parts: FsckParts): Fsck {
  let isRunning = false
  return async (options, say) => {
    if (isRunning) throw new DhowError("conflict", "a check is already running")
    isRunning = true
    try {
      await run(parts, options, say)
    } finally {
      isRunning = false
    }
  }
}

async function run(parts: FsckParts, options: FsckOptions, say: (line: FsckLine) => void): Promise<void> {
  const begun = performance.now()
  const records = imageRecords(parts.database)
  const count = { damaged: 0, repaired: 0, notes: 0 }
  const total = [...parts.content.list()].reduce((sum, { size }) => sum + size, 0)
  let next = 0
  const check: Check = {
    ...parts,
    ...options,
    records,
    layerSources: layerSources(parts.database),
    affected: affectedBy(parts, records),
    report: (found: FsckFinding) => {
      if (found.severity === "note") count.notes++
      else if (found.repair?.done === true) count.repaired++
      else count.damaged++
      say(found)
    },
    progress: ({ object, done }) => {
      const now = performance.now()
      if (now < next) return
      next = now + REPORT_MILLISECONDS
      say({ kind: "progress", object, done, total })
    },
  }
  await checkDatabase(check)
  const { damaged, bytes } = await checkBlobs(check)
  // What was fetched again may have more to say than what lay there before.
  const mended: Check = count.repaired === 0 ? check : { ...check, affected: affectedBy(parts, records) }
  await checkNames(mended)
  const layers = await checkLayers(mended, { damagedBlobs: damaged, done: bytes })
  const images = await checkImages(mended, damaged)
  await checkSnapshots(mended)
  const containers = await checkContainers(mended)
  const volumes = await checkVolumes(mended)
  await checkStrays(mended)
  const blobs = [...parts.content.list()].length
  const seconds = Math.round(performance.now() - begun) / 1000
  say({ kind: "summary", blobs, layers, images, containers, volumes, bytes, ...count, seconds })
}
