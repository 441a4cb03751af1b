// Volumes that a container is about to get: mounted where they have to be, and looked at by a process of their own where
// their files are elsewhere, for whoever looks there may have to wait for a server that is gone.
import type { Look } from "../../volume/request.ts"
import { isForeign } from "../volumes/record.ts"
import type { LocalVolumes } from "../volumes/volumes.ts"
import type { ResolvedMount } from "./record.ts"

/** What was found at the mount's source: where that is, and whether something is in it. */
export type FoundMount = ResolvedMount & { readonly found?: Look }

export type HeldVolumes = AsyncDisposable & { readonly mounts: readonly FoundMount[] }

/** The volumes stay mounted until it is disposed; from then on for as long as a container that has them runs. */
export async function holdVolumes(volumes: LocalVolumes, mounts: readonly ResolvedMount[]): Promise<HeldVolumes> {
  await using held = new AsyncDisposableStack()
  const found: FoundMount[] = []
  for (const mount of mounts) {
    const volume = mount.Type === "volume" && mount.Name !== undefined ? volumes.findPrepared(mount.Name) : undefined
    if (volume === undefined) {
      found.push(mount)
      continue
    }
    held.use(await volumes.parts.mounts.hold(volume))
    const look = isForeign(volume.record) ? await volumes.parts.mounts.look(volume, mount.subpath) : undefined
    found.push(look === undefined ? mount : { ...mount, found: look })
  }
  const kept = held.move()
  return { mounts: found, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

/** Names of the volumes among mounts. */
export function volumeNames(mounts: readonly ResolvedMount[]): string[] {
  return mounts.flatMap(({ Type, Name }) => (Type === "volume" && Name !== undefined ? [Name] : []))
}
