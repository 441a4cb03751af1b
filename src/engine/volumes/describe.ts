// A volume as the API shows it: Docker's fields, and dhow's beside them.
import { allocated } from "../../lib/allocated.ts"
import { diskUsage } from "../../lib/disk-usage.ts"
import { timestamp } from "../../lib/time.ts"
import type { VolumeDetail, VolumeInspect, VolumeUser } from "../../wire/system.ts"
import type { VolumeMounts } from "./mounts.ts"
import type { VolumePlaces } from "./places.ts"
import { isForeign, type Volume } from "./record.ts"

export function describeVolume(volume: Volume, places: VolumePlaces): VolumeInspect & { readonly Id: string } {
  const { name, record, anonymous } = volume
  const labels = anonymous ? { "com.docker.volume.anonymous": "", ...record.labels } : record.labels
  return {
    CreatedAt: secondsOf(volume.createdAt),
    Driver: record.driver,
    Id: volume.id,
    Labels: Object.keys(labels).length > 0 ? labels : null,
    Mountpoint: places.data(volume),
    Name: name,
    Options: Object.keys(record.options).length > 0 ? record.options : null,
    Scope: "local",
  }
}

/** A volume that a running container has is used now. */
export function describeUse(volume: Volume, users: readonly VolumeUser[]): Pick<VolumeDetail, "LastUsedAt" | "UsedBy"> {
  const isUsedNow = users.some(({ Running }) => Running)
  const last = isUsedNow ? Date.now() : volume.lastUsed
  return { LastUsedAt: last === undefined ? null : secondsOf(last), UsedBy: [...users] }
}

function secondsOf(milliseconds: number): string {
  return timestamp(milliseconds).replace(/\.\d+Z$/, "Z")
}

/** Bytes of its files; of a file system in a file, what that takes of the disk. Undefined for what is not the engine's. */
export async function sizeOf(volume: Volume, places: VolumePlaces): Promise<number | undefined> {
  if (isForeign(volume.record)) return undefined
  if (volume.record.limit?.by === "image") return await allocated(places.image(volume), new Set())
  return await diskUsage(places.data(volume))
}

/** The same, and what is in use of a file system that is mounted now: a dead server says nothing. */
export async function bytesOf(volume: Volume, places: VolumePlaces, mounts: VolumeMounts): Promise<number | null> {
  if (volume.record.limit?.by !== "image" && !isForeign(volume.record)) return await diskUsage(places.data(volume))
  const usage = await mounts.usage(volume)
  return usage?.used ?? (await sizeOf(volume, places)) ?? null
}
