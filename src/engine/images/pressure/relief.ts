// Keeps the file system of the state root from filling up with images, where the configuration says so. Looks after
// images have come and every minute, never on the way of a request; removes one image at a time and looks again.
import type { GcConfig } from "../../../config.ts"
import { describeError } from "../../../lib/errors.ts"
import { log } from "../../../lib/log.ts"
import type { Digest } from "../../../oci/digest.ts"
import type { GcReport, GcStatus } from "../../../wire/disk.ts"
import { layerSize } from "../chains.ts"
import type { ImagesContext } from "../context.ts"
import { describePlanned, type Planned, planPrune } from "../prune/plan.ts"
import { removePlanned } from "../prune/prune.ts"
import { type DiskFill, diskFill, percent } from "./disk.ts"
import { planRelief, type Relief } from "./plan.ts"

const LOOK_EVERY_MS = 60_000
const LOOK_AFTER_MS = 1000

export type DiskPressure = {
  /** What the policy is, how full the disk is, and what would go now. */
  status(): GcStatus
  /** Collects garbage, then relieves the disk where it is too full. Calls while one runs are served by that one. */
  relieve(): Promise<GcReport>
  /** Images have come, or the engine has: looks soon. */
  look(): void
}

type Standing = Planned & { readonly layers: readonly Digest[] }

export function diskPressure(context: ImagesContext, settings: () => GcConfig | undefined): DiskPressure {
  let running: Promise<GcReport> | undefined
  let soon: NodeJS.Timeout | undefined
  let regularly: NodeJS.Timeout | undefined
  let last: GcReport | undefined
  let isHelpless = false

  /** An indexed layer is its tar; an unpacked one lies beside it. */
  function sizeOf(layer: Digest): number {
    const { content, snapshotter } = context
    return (content.stat(layer)?.size ?? 0) + (snapshotter.name === "erofs" ? 0 : layerSize(snapshotter, layer))
  }

  /** What blobs and layers take: the disk itself is others' too, who write to it at the same time. */
  function storedBytes(): number {
    return [...context.content.list()].reduce((sum, { digest }) => sum + sizeOf(digest), 0)
  }

  function plan(gc: GcConfig, fill: DiskFill): Relief<Standing> {
    const { configs, layersInUse } = context
    const policy = { danglingOnly: false, until: Number.POSITIVE_INFINITY, unused: gc.unused, keep: gc.keepLast }
    const planned = planPrune(context, { ...policy, labels: [], unlabelled: [] })
    const standings = planned.map((one) => ({ ...one, layers: one.members.flatMap(({ id }) => configs.layers(id)) }))
    return planRelief(standings, {
      gc,
      fill,
      held: new Set(layersInUse().flat()),
      sizeOf,
    })
  }

  async function collected(): Promise<DiskFill> {
    await context.collect()
    await context.snapshotter.settled()
    return diskFill(context.root)
  }

  async function run(): Promise<GcReport> {
    const before = storedBytes()
    const removed: GcReport["Removed"][number][] = []
    let fill = await collected()
    const gc = settings()
    const isOver = gc !== undefined && fill.used > gc.max * fill.total
    if (isOver)
      for (const image of plan(gc, fill).going) {
        if (fill.used <= gc.floor * fill.total) break
        const was = fill
        if (removePlanned(context, image).length === 0) continue
        fill = await collected()
        removed.push({ ...describePlanned(image), Freed: image.bytes })
        tell(image, { was, gc })
      }
    if (isOver && fill.used > gc.max * fill.total) complain(fill, gc)
    else isHelpless = false
    const freed = Math.max(0, before - storedBytes())
    return { At: new Date().toISOString(), Removed: removed, SpaceReclaimed: freed, Used: fill.used, Total: fill.total }
  }

  function tell(image: Standing & { readonly bytes: number }, { was, gc }: { was: DiskFill; gc: GcConfig }): void {
    const { Id, Names, Digests } = describePlanned(image)
    const name = Names[0] ?? Digests[0] ?? Id
    const facts = { name, freed: String(image.bytes), disk: percent(was), max: share(gc.max) }
    context.emit("gc", Id, { ...facts, reason: image.reason })
    log.info("An image was removed, for the disk is too full", { image: Id, ...facts, reason: image.reason })
  }

  function complain(fill: DiskFill, gc: GcConfig): void {
    if (!isHelpless)
      log.warn("The disk is too full, and no image may be removed for it", { disk: percent(fill), max: share(gc.max) })
    isHelpless = true
  }

  const relieve = (): Promise<GcReport> => {
    running ??= run()
      .then((report) => {
        last = report
        return report
      })
      .finally(() => {
        running = undefined
      })
    return running
  }

  async function lookNow(): Promise<void> {
    soon = undefined
    try {
      const gc = settings()
      if (gc === undefined) {
        clearInterval(regularly)
        regularly = undefined
        return
      }
      regularly ??= setInterval(() => void lookNow(), LOOK_EVERY_MS).unref()
      const fill = diskFill(context.root)
      if (fill.used > gc.max * fill.total) await relieve()
    } catch (error) {
      log.error("The disk cannot be relieved", { error: describeError(error) })
    }
  }

  return {
    relieve,
    look() {
      if (soon === undefined) soon = setTimeout(() => void lookNow(), LOOK_AFTER_MS).unref()
    },
    status() {
      const fill = diskFill(context.root)
      const gc = settings()
      const facts = { Used: fill.used, Total: fill.total, LastRun: last ?? null }
      if (gc === undefined) return { ...facts, Policy: null, Images: [] }
      const { max, floor, unused, keepLast, protect } = gc
      const { going, staying } = plan(gc, fill)
      return {
        ...facts,
        Policy: { Max: max, Floor: floor, UnusedMilliseconds: unused, KeepLast: keepLast, Protect: [...protect] },
        Images: [
          ...going.map((one) => describePlanned(one)),
          ...staying.map((one) => ({ ...describePlanned(one), Remove: false })),
        ],
      }
    },
  }
}

function share(part: number): string {
  return `${Math.round(part * 1000) / 10}%`
}
