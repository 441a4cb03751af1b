// `network connect` and `disconnect`: a container joins a network or leaves one, running or not. What it runs with changes
// in the kernel first, then in one transaction with what was asked for.
import { crashpoint } from "../../lib/crashpoint.ts"
import { DhowError } from "../../lib/errors.ts"
import type { Connection } from "../../network/contract.ts"
import type { EndpointSettings } from "../../wire/container.ts"
import { checkEndpoint } from "./endpoint-checks.ts"
import { donorOf } from "./namespaces.ts"
import { nameService, rewriteFiles, shownPorts, wantedNetworks } from "./network.ts"
import type { ContainerParts } from "./parts.ts"
import { type Container, type ContainerState, isRunning } from "./record.ts"
import { emitNetwork } from "./usage-events.ts"

type Network = { readonly id: string; readonly name: string; readonly driver: string }

const SHARED =
  "container sharing network namespace with another container or host cannot be connected to any other network"

export async function connectContainer(
  parts: ContainerParts,
  reference: string,
  to: { readonly network: string; readonly settings: EndpointSettings },
): Promise<void> {
  const { id } = parts.store.resolve(reference).record
  const network = parts.networks.resolve(to.network)
  await parts.locks.hold(id, async () => {
    const container = parts.store.get(id)
    const { record, state } = container
    refuseRemoved(container)
    checkEndpoint(network.name, to.settings)
    checkCompany(parts, container, network)
    const wanted = wantedNetworks(parts, record)
    const settings = asked(to.settings)
    const after = { EndpointsConfig: Object.fromEntries([...wanted, [network.name, settings]]) }
    if (!isRunning(state)) {
      // As Docker has it: a network that it is on already stays as it is.
      if (!wanted.has(network.name)) parts.store.amend(id, { networkingConfig: after })
      return
    }
    const { name, config } = record
    const joiner = { owner: id, name, hostname: config.Hostname ?? "", dns: () => nameService(parts, record) }
    const connection = await parts.networks.connect(joiner, network.id, settings)
    try {
      crashpoint("container.connect:before-row")
      commit(parts, container, { connection, networkingConfig: after })
    } catch (error) {
      connection.undo()
      throw error
    }
    await connection.finish()
    emitNetwork(parts, "connect", { id, network })
  })
}

export async function disconnectContainer(
  parts: ContainerParts,
  reference: string,
  from: { readonly network: string; readonly force: boolean },
): Promise<void> {
  const { id } = parts.store.resolve(reference).record
  await parts.locks.hold(id, async () => {
    const container = parts.store.get(id)
    const { record, state } = container
    refuseRemoved(container)
    const network = findOrForce(parts, from)
    const { [network.name]: left, ...rest } = Object.fromEntries(wantedOf(parts, container))
    const amended = { networkingConfig: { EndpointsConfig: rest }, leftNetworks: true } as const
    if (!isRunning(state) || network.id === "") {
      if (left === undefined)
        throw new DhowError("internal", `container ${id} is not connected to the network ${network.name}`)
      parts.store.amend(id, amended)
      return
    }
    if (network.driver === "host" && record.hostConfig.NetworkMode === "host")
      throw new DhowError(
        "invalid",
        "cannot disconnect container from host network - container was created in host network mode",
      )
    if (state.process.endpoints[network.name] === undefined || network.driver === "null")
      throw new DhowError("internal", `container ${id} is not connected to network ${network.name}`)
    const connection = await parts.networks.disconnect(id, network.id)
    crashpoint("container.disconnect:before-row")
    commit(parts, container, { connection, ...amended })
    await connection.finish()
    emitNetwork(parts, "disconnect", { id, network })
  })
}

/** The row of the namespace and the container's in one transaction; its files follow. */
function commit(
  parts: ContainerParts,
  { record, state }: Container,
  change: {
    readonly connection: Connection
    readonly networkingConfig: { readonly EndpointsConfig: Record<string, EndpointSettings> }
    readonly leftNetworks?: true
  },
): void {
  if (!isRunning(state)) return
  const { connection, ...amended } = change
  const exposed = Object.keys(record.config.ExposedPorts ?? {})
  const after: ContainerState = {
    ...state,
    process: {
      ...state.process,
      endpoints: connection.endpoints,
      ports: shownPorts(exposed, connection.ports),
    },
  }
  const container = parts.store.amend(record.id, amended, { state: after, together: () => connection.commit() })
  rewriteFiles(parts, container.record, connection)
}

function wantedOf(parts: ContainerParts, { record }: Container): ReadonlyMap<string, EndpointSettings> {
  try {
    return wantedNetworks(parts, record)
  } catch {
    // One of them is gone: by the names that were asked for.
    return new Map(
      Object.entries(record.networkingConfig.EndpointsConfig ?? {}).map(([name, settings]) => [name, settings ?? {}]),
    )
  }
}

/** With force, a network that is gone can be left too. */
function findOrForce(
  parts: ContainerParts,
  { network, force }: { readonly network: string; readonly force: boolean },
): Network {
  try {
    return parts.networks.resolve(network)
  } catch (error) {
    if (!force) throw error
    return { id: "", name: network, driver: "" }
  }
}

function refuseRemoved({ record, state }: Container): void {
  if (state.status !== "removing" && state.status !== "dead") return
  throw new DhowError(
    "conflict",
    `Container ${record.id} is marked for removal and cannot be connected or disconnected to the network`,
  )
}

/** Which networks keep company with which. */
function checkCompany(parts: ContainerParts, { record }: Container, network: Network): void {
  const invalid = (message: string): DhowError => new DhowError("invalid", message)
  const mode = record.hostConfig.NetworkMode ?? "bridge"
  if (donorOf(mode) !== undefined) throw invalid(SHARED)
  if (mode !== "host" && network.driver === "host")
    throw invalid("cannot connect container to host network - container must be created in host network mode")
  if (record.config.NetworkDisabled) throw invalid(SHARED)
  for (const name of wantedNetworks(parts, record).keys()) {
    const other = parts.networks.resolve(name)
    if (other.id === network.id) return
    if (other.driver === "host" || network.driver === "host") throw invalid(SHARED)
    if (other.driver === "null" || network.driver === "null")
      throw invalid(
        "container cannot be connected to multiple networks with one of the networks in private (none) mode",
      )
  }
}

/** Only what is the user's to choose is kept. */
function asked(settings: EndpointSettings): EndpointSettings {
  const { IPAMConfig, Links, Aliases, DriverOpts, GwPriority, MacAddress } = settings
  return {
    ...(IPAMConfig ? { IPAMConfig } : {}),
    ...(Links?.length ? { Links } : {}),
    ...(Aliases?.length ? { Aliases } : {}),
    ...(DriverOpts ? { DriverOpts } : {}),
    ...(GwPriority ? { GwPriority } : {}),
    ...(MacAddress ? { MacAddress } : {}),
  }
}
