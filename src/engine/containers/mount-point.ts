// A mount as `ps` and inspect show it.
import type { MountPoint } from "../../wire/container.ts"
import type { ResolvedMount } from "./record.ts"

export function mountPoint(mount: ResolvedMount): MountPoint {
  return {
    Type: mount.Type,
    ...(mount.Name === undefined ? {} : { Name: mount.Name }),
    Source: mount.Source,
    Destination: mount.Destination,
    ...(mount.Driver === undefined ? {} : { Driver: mount.Driver }),
    Mode: mount.Mode,
    RW: mount.RW,
    Propagation: mount.Propagation,
    ...(mount.Map === undefined ? {} : { Map: mount.Map }),
  }
}
