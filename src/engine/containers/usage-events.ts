// Events of networks and volumes that a run of a container takes and gives back.
import type { ContainerParts } from "./parts.ts"
import { type ContainerRecord, type ContainerState, isRunning } from "./record.ts"

const TYPES: Readonly<Record<string, string>> = { bridge: "bridge", host: "host", none: "null" }

/** What the run that begins now has taken: told before its `start`. */
export function emitTaken(
  parts: ContainerParts,
  { id, mounts }: ContainerRecord,
  {
    endpoints,
    at,
  }: {
    readonly endpoints: Readonly<Record<string, { readonly NetworkID?: string }>>
    /** When it began, in milliseconds since 1970. */
    readonly at: number
  },
): void {
  emitNetworks(parts, "connect", { id, endpoints, at })
  for (const { Name, Destination, RW, Propagation } of mounts)
    if (Name !== undefined) {
      const attributes = {
        container: id,
        destination: Destination,
        driver: "local",
        propagation: Propagation,
        "read/write": String(RW),
      }
      parts.events.emit("volume", "mount", Name, attributes, at)
    }
}

/** What the run that ended gives back: told before its `die`. */
export function emitGivenBack(parts: ContainerParts, { id, mounts }: ContainerRecord, state: ContainerState): void {
  if (isRunning(state)) emitNetworks(parts, "disconnect", { id, endpoints: state.process.endpoints })
  for (const { Name } of mounts)
    if (Name !== undefined) parts.events.emit("volume", "unmount", Name, { container: id, driver: "local" })
}

function emitNetworks(
  parts: ContainerParts,
  action: "connect" | "disconnect",
  run: {
    readonly id: string
    readonly endpoints: Readonly<Record<string, { readonly NetworkID?: string }>>
    readonly at?: number
  },
): void {
  const { id, endpoints, ...time } = run
  for (const [name, { NetworkID = "" }] of Object.entries(endpoints))
    emitNetwork(parts, action, { id, network: { id: NetworkID, name, driver: driverOf(parts, name) }, ...time })
}

export function emitNetwork(
  parts: ContainerParts,
  action: "connect" | "disconnect",
  of: {
    readonly id: string
    readonly network: { readonly id: string; readonly name: string; readonly driver: string }
    readonly at?: number
  },
): void {
  const { id, name, driver } = of.network
  parts.events.emit("network", action, id, { container: of.id, name, type: driver }, of.at)
}

/** On the start path: the networks that every engine has are not looked up. */
function driverOf(parts: ContainerParts, name: string): string {
  const known = TYPES[name]
  if (known !== undefined) return known
  try {
    return parts.networks.resolve(name).driver
  } catch {
    // Removed by force meanwhile.
    return "bridge"
  }
}
