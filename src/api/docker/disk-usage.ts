// GET /system/df: whole lists for clients up to 1.51, counts by type since, and both to clients of 1.52 that do not say
// which they want.
import type { DiskUsageType, System } from "../../engine/contract.ts"
import { DhowError } from "../../lib/errors.ts"
import type { DiskUsage } from "../../wire/system.ts"
import { json, type Reply } from "../http/reply.ts"
import type { Call } from "./call.ts"

const TYPES: readonly DiskUsageType[] = ["container", "image", "volume", "build-cache"]

export async function diskUsage(system: Pick<System, "diskUsage">, { query, api }: Call): Promise<Reply> {
  // The choice came with 1.42.
  const names = api < 42 || !query.has("type") ? TYPES : query.all("type")
  const wanted = names.map((name) => {
    const type = TYPES.find((known) => known === name)
    if (type === undefined) throw new DhowError("invalid", `unknown object type: ${name}`)
    return type
  })
  const usage = await system.diskUsage(new Set(wanted))
  if (api < 52) return json(200, listed(usage, api))
  const verbose = query.bool("verbose")
  const counts = counted(usage, verbose)
  if (verbose) return json(200, counts)
  // The lists of what was not asked for are left out, where older versions have null.
  const lists = Object.fromEntries(Object.entries(usage).filter(([, list]) => list !== null))
  return json(200, { ...lists, ...counts })
}

function listed(usage: DiskUsage, api: number): object {
  return {
    ...usage,
    ...(api < 44 && usage.Images
      ? { Images: usage.Images.map((image) => ({ ...image, VirtualSize: image.Size })) }
      : {}),
    ...(api < 42 ? { BuilderSize: 0 } : {}),
  }
}

type Counts = {
  readonly ActiveCount: number
  readonly TotalCount: number
  readonly TotalSize: number
  readonly Reclaimable: number
  readonly Items?: readonly unknown[]
}

function counted(usage: DiskUsage, verbose: boolean): object {
  const { Images: images, Containers: containers, Volumes: volumes, BuildCache: cache } = usage
  const items = (list: readonly unknown[]): Pick<Counts, "Items"> => (verbose ? { Items: list } : {})
  return {
    ...(images && {
      ImageUsage: {
        ActiveCount: images.filter(({ Containers }) => Containers > 0).length,
        TotalCount: images.length,
        TotalSize: usage.LayersSize,
        Reclaimable: sum(
          images.filter(({ Containers }) => Containers === 0).map((image) => image.Size - image.SharedSize),
        ),
        ...items(images),
      } satisfies Counts,
    }),
    ...(containers && {
      ContainerUsage: {
        ActiveCount: containers.filter(isActive).length,
        TotalCount: containers.length,
        TotalSize: sum(containers.map(({ SizeRw }) => SizeRw ?? 0)),
        Reclaimable: sum(containers.filter((container) => !isActive(container)).map(({ SizeRw }) => SizeRw ?? 0)),
        ...items(containers),
      } satisfies Counts,
    }),
    ...(volumes && {
      VolumeUsage: {
        ActiveCount: volumes.filter(({ UsageData }) => (UsageData?.RefCount ?? 0) > 0).length,
        TotalCount: volumes.length,
        TotalSize: sum(volumes.map(({ UsageData }) => UsageData?.Size ?? 0)),
        Reclaimable: sum(
          volumes.filter(({ UsageData }) => UsageData?.RefCount === 0).map(({ UsageData }) => UsageData?.Size ?? 0),
        ),
        ...items(volumes),
      } satisfies Counts,
    }),
    ...(cache && {
      BuildCacheUsage: {
        ActiveCount: 0,
        TotalCount: 0,
        TotalSize: 0,
        Reclaimable: 0,
        ...items(cache),
      } satisfies Counts,
    }),
  }
}

const isActive = ({ State }: { readonly State: string }): boolean =>
  State === "running" || State === "paused" || State === "restarting"
const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0)
