// Every byte under the state root, and whose it is: each path is walked once and given to the one object that owns it.
// What is in none of the places that the engine knows is told apart, so that the sum is what du says.
import type { Digest } from "../../oci/digest.ts"
import type { DiskMap } from "../../wire/disk.ts"
import { type Affected, affectedBy } from "../fsck/affected.ts"
import { familiar, isCanonical } from "../images/context.ts"
import { type ImageRecords, imageRecords } from "../images/records.ts"
import { type Counts, countPlaces, type DiskMapParts } from "./places.ts"

/** Callers at the same time share a walk. */
export function openDiskMap(parts: DiskMapParts): () => Promise<DiskMap> {
  /** By key. A layer's files never change, so what was counted of one is kept. */
  const layerSizes = new Map<string, number>()
  let running: Promise<DiskMap> | undefined
  return () => {
    running ??= mapOf(parts, layerSizes).finally(() => {
      running = undefined
    })
    return running
  }
}

async function mapOf(parts: DiskMapParts, layerSizes: Map<string, number>): Promise<DiskMap> {
  const { root, database, containers } = parts
  const volumes = database
    .query<{ name: string; directory: string }>("SELECT name, directory FROM volumes WHERE anonymous < 2 ORDER BY name")
    .all()
  const counts = await countPlaces(parts, {
    containers: new Set(containers.all().map(({ record }) => record.id)),
    volumes: new Set(volumes.map(({ directory }) => directory)),
    layerSizes,
  })
  const records = imageRecords(database)
  const { bytes, snapshots, logs, states, volumes: ofVolumes, ...rest } = counts
  const images = shareOut(bytes, { records, affected: affectedBy(parts, records), served: new Set(parts.served()) })
  const Containers = containers.all().map(({ record: { id, name } }) => ({
    Id: id,
    Name: name,
    Written: snapshots.get(id) ?? 0,
    Logs: logs.get(id) ?? 0,
    Other: states.get(id) ?? 0,
  }))
  const known = new Set(Containers.map(({ Id }) => Id))
  const Snapshots = sum([...snapshots].flatMap(([key, size]) => (known.has(key) ? [] : [size])))
  const Volumes = volumes.map(({ name, directory }) => ({ Name: name, Size: ofVolumes.get(directory) ?? 0 }))
  return { Root: root, Total: totalOf(counts), ...images, Containers, Volumes, Snapshots, ...rest }
}

function totalOf({ bytes, snapshots, logs, states, volumes, ...rest }: Counts): number {
  return sum([...[bytes, snapshots, logs, states, volumes].flatMap((map) => [...map.values()]), ...Object.values(rest)])
}

/** Each blob and layer to the image that alone needs it, to those that share it, or to who else keeps it. */
function shareOut(
  bytes: ReadonlyMap<Digest, number>,
  by: { readonly records: ImageRecords; readonly affected: Affected; readonly served: ReadonlySet<Digest> },
): Pick<DiskMap, "Images" | "SharedByImages" | "ServedByRegistry" | "Garbage"> {
  const unique = new Map<Digest, number>()
  const shared = new Map<Digest, number>()
  const count = (map: Map<Digest, number>, id: Digest, found: number): void =>
    void map.set(id, (map.get(id) ?? 0) + found)
  let [SharedByImages, ServedByRegistry, Garbage] = [0, 0, 0]
  for (const [digest, found] of bytes) {
    const owners = by.affected.imageIds(digest)
    if (owners.length === 1) count(unique, owners[0]!, found)
    else if (owners.length > 1) {
      SharedByImages += found
      for (const id of owners) count(shared, id, found)
    } else if (by.served.has(digest)) ServedByRegistry += found
    else Garbage += found
  }
  const Images = by.records.images().map(({ id }) => ({
    Id: id,
    Names: by.records
      .tagsOf(id)
      .filter(({ reference }) => !isCanonical(reference))
      .map(({ reference }) => familiar(reference)),
    Unique: unique.get(id) ?? 0,
    Shared: shared.get(id) ?? 0,
  }))
  return { Images, SharedByImages, ServedByRegistry, Garbage }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
