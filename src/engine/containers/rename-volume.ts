// A volume that is renamed keeps its place: containers that mount it, running or not, go on with it under its new name.
import { DhowError } from "../../lib/errors.ts"
import type { HostConfig } from "../../wire/container.ts"
import type { ContainerParts } from "./parts.ts"
import type { ContainerRecord } from "./record.ts"
import { doubtfulUsers, isVolume, volumeUsers } from "./volume-users.ts"

/** `together` is in the same transaction. */
export function renameVolumeInContainers(
  { store, locks }: Pick<ContainerParts, "store" | "locks">,
  { from, to }: { readonly from: string; readonly to: string },
  together: () => void,
): void {
  const refuse = (id: string, why: string): never => {
    throw new DhowError(
      "conflict",
      `Cannot rename volume "${from}": container "${store.find(id)?.record.name ?? id}" ${why}`,
    )
  }
  for (const id of doubtfulUsers({ store }, from)) refuse(id, "may have it, and its row is damaged")
  const users = volumeUsers({ store }, from)
  for (const id of users) {
    if (locks.isHeld(id)) refuse(id, "is being changed: try again")
    if (store.get(id).record.pending !== undefined) refuse(id, "is being updated: try again")
  }
  store.amendAll(
    users.map((id) => ({ id, changes: renamed(store.get(id).record, from, to) })),
    together,
  )
}

function renamed(
  { mounts, hostConfig }: ContainerRecord,
  from: string,
  to: string,
): Pick<ContainerRecord, "mounts" | "hostConfig"> {
  return {
    mounts: mounts.map((mount) => (isVolume(mount, from) ? { ...mount, Name: to, anonymous: false } : mount)),
    hostConfig: {
      ...hostConfig,
      ...(hostConfig.Binds == null ? {} : { Binds: hostConfig.Binds.map((bind) => renamedBind(bind, from, to)) }),
      ...(hostConfig.Mounts == null ? {} : { Mounts: renamedMounts(hostConfig.Mounts, from, to) }),
    },
  }
}

function renamedBind(bind: string, from: string, to: string): string {
  return bind.startsWith(`${from}:`) ? `${to}${bind.slice(from.length)}` : bind
}

function renamedMounts(mounts: NonNullable<HostConfig["Mounts"]>, from: string, to: string) {
  return mounts.map((mount) => (mount.Type === "volume" && mount.Source === from ? { ...mount, Source: to } : mount))
}
