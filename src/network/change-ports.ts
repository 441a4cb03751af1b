// Other published ports for a container that runs: held first, then led to it in one transaction of the kernel's, then the
// row. A crash in between leaves the row as it was, and at its start the engine makes the kernel follow the rows.
import { crashpoint } from "../lib/crashpoint.ts"
import { DhowError, errnoName } from "../lib/errors.ts"
import { log } from "../lib/log.ts"
import type { NetlinkSocket } from "../lib/netlink.ts"
import type { PortMap } from "../wire/container.ts"
import type { PortChange, PortMapping } from "./contract.ts"
import { gatewaysOf } from "./endpoints.ts"
import { allowHairpin } from "./link.ts"
import { type Bindable, type Ports, samePort } from "./ports.ts"
import type { PublishedPorts } from "./publish.ts"
import type { Tables } from "./tables.ts"

type Place = { readonly address: string; readonly on: PublishedPorts }

type Parts = {
  readonly tables: Tables
  readonly ports: Ports
  /** By network id; undefined for those without a bridge. */
  readonly published: (network: string) => PublishedPorts | undefined
  /** Where its ports can be published. */
  readonly bindable: Bindable
  readonly host: NetlinkSocket
}

export function changePorts(
  { tables, ports, published, bindable, host }: Parts,
  owner: string,
  { name, remove, add }: { readonly name: string; readonly remove: readonly PortMapping[]; readonly add: PortMap },
): PortChange {
  const namespace = tables.namespacesOf(owner)[0]
  const gateways = namespace === undefined ? {} : gatewaysOf(namespace.record)
  const places = (namespace?.record.endpoints ?? []).flatMap(({ network, settings }) =>
    [
      gateways[4] === network ? settings.IPAddress : "",
      gateways[6] === network ? settings.GlobalIPv6Address : "",
    ].flatMap((address) => {
      const on = published(network)
      return address && on !== undefined ? [{ address, on }] : []
    }),
  )
  if (namespace === undefined || places.length === 0)
    throw new DhowError("conflict", `Cannot publish ports of container "${name}": it has no network of its own`)
  const held = ports.change({ owner, name, remove, exposed: [], bindings: add, publishAll: false, bindable })
  const kept = namespace.record.ports.filter((port) => !remove.some((gone) => samePort(gone, port)))
  const added = held.ports.filter((port) => !kept.some((old) => samePort(old, port)))
  const lead = (from: readonly PortMapping[], to: readonly PortMapping[]): void => {
    for (const place of places) leadOne(place, from, to)
  }
  const leadOne = ({ address, on }: Place, from: readonly PortMapping[], to: readonly PortMapping[]): void => {
    try {
      on.replace(address, from, to)
    } catch (error) {
      if (errnoName(error) !== "ENOENT") throw error
      // Somebody has cleared a rule of ours: what is missing must not keep the others.
      on.remove({ address, ports: from })
      on.add({ address, ports: to })
    }
  }
  try {
    lead(remove, added)
    for (const { hostInterface } of namespace.record.endpoints)
      if (hostInterface !== "") allowHairpin(host, hostInterface)
  } catch (cause) {
    held.undo()
    throw new DhowError("internal", `Cannot publish ports of container "${name}"`, { cause })
  }
  crashpoint("network.change-ports:before-row")
  return {
    ports: held.ports,
    commit: () => tables.putNamespace(namespace.key, { ...namespace.record, ports: held.ports }),
    undo() {
      try {
        lead(added, remove)
      } catch (error) {
        log.error("Ports of a container are not published as they were", { owner, error: String(error) })
      }
      held.undo()
    },
  }
}
