// Which containers mount a volume.
import type { VolumeUser } from "../../wire/system.ts"
import { isRunning } from "./record.ts"
import type { ContainerStore } from "./store.ts"

type Stored = { readonly store: ContainerStore }

/** Ids of the containers that mount a volume. */
export function volumeUsers({ store }: Stored, volume: string): string[] {
  const users = store
    .all()
    .filter(({ record }) => record.mounts.some((mount) => isVolume(mount, volume)))
    .map(({ record }) => record.id)
  return [...users, ...doubtfulUsers({ store }, volume)]
}

/** Where a row cannot be read, the name anywhere in it has to count. */
export function doubtfulUsers({ store }: Stored, volume: string): string[] {
  return store.unreadable().flatMap(({ id, record }) => (record.includes(volume) ? [id] : []))
}

/** The same, told to a person. */
export function describeUsers({ store }: Stored, volume: string): VolumeUser[] {
  return store.all().flatMap(({ record, state }) => {
    const mounts = record.mounts.filter((mount) => isVolume(mount, volume))
    const [first] = mounts
    if (first === undefined) return []
    const Destinations = mounts.map(({ Destination }) => Destination)
    const ReadOnly = mounts.every(({ RW }) => !RW)
    return [{ Id: record.id, Name: record.name, Running: isRunning(state), Destinations, ReadOnly }]
  })
}

export function isVolume(mount: { readonly Type: string; readonly Name?: string }, volume: string): boolean {
  return mount.Type === "volume" && mount.Name === volume
}
