// Networks: bridges and their like, addresses, published ports, and the namespaces containers live in. A pool of ready
// namespaces on the default bridge keeps all of it off the start path.

import type { Database } from "../state/database.ts"
import type { EndpointSettings, NetRate, PortMap } from "../wire/container.ts"
import type { NetworkCreateRequest } from "../wire/network.ts"
import type { NetworkInspect } from "../wire/system.ts"
import type { AddressPool } from "./ipam/pools.ts"
import type { Resolver, ServeOptions } from "./resolver/contract.ts"

/** Asked again whenever they are needed: the configuration may have changed. */
export type NetworksOptions = {
  readonly database: Database
  readonly execRoot: string
  /** Interface of the default bridge; undefined for one that no other engine has. */
  readonly bridge: string | undefined
  /** Its address and subnet, where the user fixes them: "10.0.0.1/24". */
  readonly bip: string | undefined
  /** Ready namespaces to keep. */
  readonly pool: number
  /** Address of the host for ports that name none, on networks that name none; absent for all. */
  readonly publishAddress?: string
  /** What networks get their subnets from; absent for the engine's own choice. */
  readonly addressPools?: readonly AddressPool[] | undefined
  /** Options of networks that say nothing else, by driver. */
  readonly defaultOptions?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** What tells this host from others: its unique local IPv6 prefix is made of it. */
  readonly hostId?: string
  /** Answers names on user-defined networks; absent where nobody asks for names. */
  readonly resolver?: Resolver
}

export type PortMapping = {
  readonly protocol: "tcp" | "udp" | "sctp"
  readonly containerPort: number
  /** "" for all addresses. */
  readonly hostIp: string
  readonly hostPort: number
}

export type AttachRequest = {
  /** Container id: the owner of what is attached. */
  readonly owner: string
  readonly name: string
  readonly hostname: string
  /** Networks by name or id, with the settings the user asked for; usually one. None is a namespace with loopback only. */
  readonly networks: ReadonlyMap<string, EndpointSettings>
  /** Host ports are chosen already (`choosePorts`). */
  readonly ports: readonly PortMapping[]
  /** The address that it had until now: it gets this one again unless somebody else has it meanwhile. */
  readonly address?: string
  /** How names are answered that its networks do not know. Absent: as on the host. */
  readonly dns?: () => ServeOptions
  /** What each of its interfaces may carry, those of networks that it joins later too. */
  readonly rate?: NetRate
}

/** Another limit of traffic, in force in the kernel, and for good once `commit` was called. */
export type RateChange = {
  /** Writes the row: to be called in the transaction that records the change. */
  commit(): void
  undo(): void
}

/** One interface of a container with a limit. */
export type InterfaceLimits = {
  readonly rate: NetRate
  /** Packets that its limits have dropped, and times that they made one wait, since they were set. */
  readonly in: { readonly dropped: number; readonly delayed: number }
  readonly out: { readonly dropped: number; readonly delayed: number }
}

/** Another set of published ports, in force in the kernel, and for good once `commit` was called. */
export type PortChange = {
  /** All that are published now. */
  readonly ports: readonly PortMapping[]
  /** Writes the row: to be called in the transaction that records the change. */
  commit(): void
  undo(): void
}

export type Attached = {
  /** Path of the network namespace, to be named in the OCI spec. */
  readonly namespace: string
  /** By network name: addresses, gateway, MAC, ids. */
  readonly endpoints: Readonly<Record<string, EndpointSettings>>
  /** Name servers that the networks themselves offer; empty on the default bridge. */
  readonly nameservers: readonly string[]
  /** What is published of what was asked for: nothing where no network leads out. */
  readonly ports: readonly PortMapping[]
}

/** A running container on one network more or less: in force in the kernel, and for good once `commit` was called. */
export type Connection = Pick<Attached, "endpoints" | "nameservers" | "ports"> & {
  /** Writes the row: to be called in the transaction that records the change. */
  commit(): void
  /** To be called after `commit`. */
  finish(): Promise<void>
  undo(): void
}

export interface Networks {
  /** Creates the default networks (bridge, host, none), adopts what exists, starts filling the pool. */
  open(): Promise<void>
  /** From the pool in well under a millisecond where the request is plain. */
  attach(request: AttachRequest): Promise<Attached>
  /** A namespace with loopback only, for --network none. */
  isolate(owner: string): Promise<Attached>
  /** Gives everything back that the owner holds. Fine when it holds nothing. Never throws for half of it: logs and goes on. */
  release(owner: string): Promise<void>
  /**
   * Host ports for a container's bindings: those asked for, checked to be free, and free ones for 0, ranges and -P.
   * Throws conflict naming the process or container that holds a port, in Docker's words. The ports are held for the
   * owner from here on: no other process can bind them until `release`.
   */
  choosePorts(
    owner: string,
    exposed: readonly string[],
    bindings: PortMap,
    publishAll: boolean,
    /** The container's name, for the error text; the networks it is to join, which have the addresses. */
    to?: { readonly name?: string; readonly networks?: ReadonlyMap<string, EndpointSettings> },
  ): readonly PortMapping[]
  /**
   * Changes what a running container publishes, without a gap for the ports that stay. `remove` holds members of what is
   * published now. Throws as `choosePorts`, and nothing has changed then.
   */
  changePorts(
    owner: string,
    change: { readonly name: string; readonly remove: readonly PortMapping[]; readonly add: PortMap },
  ): Promise<PortChange>
  /** Limits the traffic of a running container. Throws invalid where one of its networks cannot. */
  changeRate(owner: string, rate: NetRate | undefined): RateChange
  /** By the name of the interface in the container; empty where there is no limit. */
  limits(owner: string): Readonly<Record<string, InterfaceLimits>>
  /** What an owner publishes, by container port in the order of its bindings. */
  publishedPorts(owner: string): readonly PortMapping[]
  /** Throws conflict, forbidden, invalid in Docker's words. */
  create(request: NetworkCreateRequest): Promise<NetworkInspect>
  /** Throws forbidden where a container is on it. */
  remove(reference: string): Promise<NetworkInspect>
  /** A container that runs joins a network. */
  connect(
    request: Omit<AttachRequest, "networks" | "ports">,
    reference: string,
    settings: EndpointSettings,
  ): Promise<Connection>
  /** A container that runs leaves one. */
  disconnect(owner: string, reference: string): Promise<Connection>
  /** A container that runs has another name from now on. */
  rename(owner: string, name: string): void
  list(): NetworkInspect[]
  inspect(reference: string): NetworkInspect
  /** Throws not-found ("network NAME not found") where there is none; returns the canonical name and id. */
  resolve(reference: string): { readonly id: string; readonly name: string; readonly driver: string }
  /** Owners that hold addresses or namespaces, for reconciliation. */
  owners(): readonly string[]
  /** Removes namespaces, veths and addresses that no owner in `alive` holds. Returns what was removed. */
  sweep(alive: ReadonlySet<string>): Promise<readonly string[]>
  /** Tears the pool down: for tests and uninstallation, so that nothing is left behind. */
  close(): Promise<void>
  /** Takes options that have changed: at once where nobody is on the bridge. */
  reconfigure(): Promise<void>
}
