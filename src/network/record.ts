// What the tables networks and network_namespaces hold as JSON, and the default networks that every state root has.
import type { EndpointSettings, NetRate } from "../wire/container.ts"
import type { NetworkInspect } from "../wire/system.ts"
import type { PortMapping } from "./contract.ts"
import type { Gateways } from "./endpoints.ts"

export type NetworkSubnet = {
  /** Of either family, in canonical form: "172.18.0.0/22", "fd00::/64". */
  readonly subnet: string
  /** "" for none. */
  readonly gateway: string
  /** Containers get addresses of this part only. */
  readonly ipRange?: string
  /** Addresses that no container gets, by the names that somebody gave them. */
  readonly auxiliary?: Readonly<Record<string, string>>
}

export type NetworkRecord = {
  readonly driver: string
  /** Interface of a bridge on the host, or the parent of a macvlan's; "" for drivers without one. */
  readonly interface: string
  readonly subnets: readonly NetworkSubnet[]
  readonly internal: boolean
  readonly attachable: boolean
  /** Absent in rows of old: true. */
  readonly ipv4?: boolean
  readonly ipv6: boolean
  /** Whether names of containers are answered on this network. */
  readonly dnsEnabled: boolean
  /** Absent: "default". */
  readonly ipamDriver?: string
  readonly ipamOptions?: Readonly<Record<string, string>>
  /** It only lends its configuration to others. */
  readonly configOnly?: boolean
  /** The network whose configuration it has. */
  readonly configFrom?: string
  readonly mtu: number
  readonly options: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
}

export type Network = {
  readonly id: string
  readonly name: string
  readonly createdAt: number
  readonly record: NetworkRecord
}

/** One attachment of a namespace. */
export type EndpointRecord = {
  readonly network: string
  readonly networkName: string
  /** Our end of the pair; "" for drivers without one. */
  readonly hostInterface: string
  /** Its name in the namespace. Absent in rows of old: "eth0". */
  readonly interface?: string
  readonly settings: EndpointSettings
}

export type NamespaceRecord = {
  /** Container's name when it was attached; "" in the pool. */
  readonly name: string
  readonly endpoints: readonly EndpointRecord[]
  /** Ids of the networks that lead out. Absent in rows of old: the first endpoint's. */
  readonly gateways?: Gateways
  readonly ports: readonly PortMapping[]
  /** What each endpoint may carry. */
  readonly rate?: NetRate
}

export type Namespace = { readonly key: string; readonly owner: string | null; readonly record: NamespaceRecord }

/** Names that Docker reserves, with the drivers behind them. */
export const DEFAULT_NETWORKS = { bridge: "bridge", host: "host", none: "null" } as const

export function plainRecord(driver: string): NetworkRecord {
  return {
    driver,
    interface: "",
    subnets: [],
    internal: false,
    attachable: false,
    ipv6: false,
    dnsEnabled: false,
    mtu: 1500,
    options: {},
    labels: {},
  }
}

export function defaultBridgeRecord(bridge: {
  readonly interface: string
  readonly subnet: string
  readonly gateway: string
  readonly mtu: number
}): NetworkRecord {
  return {
    ...plainRecord("bridge"),
    interface: bridge.interface,
    subnets: [{ subnet: bridge.subnet, gateway: bridge.gateway }],
    mtu: bridge.mtu,
    options: {
      "com.docker.network.bridge.default_bridge": "true",
      "com.docker.network.bridge.enable_icc": "true",
      "com.docker.network.bridge.enable_ip_masquerade": "true",
      "com.docker.network.bridge.host_binding_ipv4": "0.0.0.0",
      "com.docker.network.bridge.name": bridge.interface,
      "com.docker.network.driver.mtu": String(bridge.mtu),
    },
  }
}

export function renderNetwork(network: Network, attached: readonly Namespace[]): NetworkInspect {
  const { record } = network
  const containers: NetworkInspect["Containers"] = {}
  for (const namespace of attached) {
    const endpoint = namespace.record.endpoints.find((candidate) => candidate.network === network.id)
    if (namespace.owner === null || endpoint === undefined) continue
    const { settings } = endpoint
    containers[namespace.owner] = {
      Name: namespace.record.name,
      EndpointID: settings.EndpointID ?? "",
      MacAddress: settings.MacAddress ?? "",
      IPv4Address: settings.IPAddress ? `${settings.IPAddress}/${settings.IPPrefixLen}` : "",
      IPv6Address: "",
    }
  }
  return {
    Name: network.name,
    Id: network.id,
    Created: new Date(network.createdAt).toISOString().replace("Z", "000000Z"),
    Scope: "local",
    Driver: record.driver,
    EnableIPv4: record.ipv4 ?? true,
    EnableIPv6: record.ipv6,
    IPAM: {
      Driver: record.ipamDriver ?? "default",
      Options: record.ipamOptions === undefined ? null : { ...record.ipamOptions },
      Config: record.subnets.map(({ subnet, gateway, ipRange, auxiliary }) => ({
        Subnet: subnet,
        ...(ipRange === undefined ? {} : { IPRange: ipRange }),
        ...(gateway === "" ? {} : { Gateway: gateway }),
        ...(auxiliary === undefined ? {} : { AuxiliaryAddresses: { ...auxiliary } }),
      })),
    },
    Internal: record.internal,
    Attachable: record.attachable,
    Ingress: false,
    ConfigFrom: { Network: record.configFrom ?? "" },
    ConfigOnly: record.configOnly ?? false,
    Containers: containers,
    Options: { ...record.options },
    Labels: { ...record.labels },
  }
}
