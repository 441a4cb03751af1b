// Which containers mount a volume.
import type { ContainerStore } from "./store.ts"

/** Ids of the containers that mount a volume. */
export function volumeUsers({ store }: { readonly store: ContainerStore }, volume: string): string[] {
  return store
    .all()
    .filter(({ record }) => record.mounts.some((mount) => mount.Name === volume))
    .map(({ record }) => record.id)
}
