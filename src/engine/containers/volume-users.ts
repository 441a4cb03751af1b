// Which containers mount a volume.
import type { ContainerStore } from "./store.ts"

/** Ids of the containers that mount a volume. */
export function volumeUsers({ store }: { readonly store: ContainerStore }, volume: string): string[] {
  const users = store
    .all()
    .filter(({ record }) => record.mounts.some((mount) => mount.Name === volume))
    .map(({ record }) => record.id)
  // Where a row cannot be read, the name anywhere in it has to count.
  const perhaps = store.unreadable().filter(({ record }) => record.includes(volume))
  return [...users, ...perhaps.map(({ id }) => id)]
}
