// Who reaches whom, by which names, and what is open from outside: as networks' options and containers' endpoints say. What
// a firewall of the host's own adds is not looked at. Pure.
import type { EndpointSettings, PortMap } from "../wire/container.ts"
import type { MapContainer, MapNetwork, MapPort, MapReach, NetworkMap } from "../wire/network-map.ts"
import type { NetworkInspect } from "../wire/system.ts"

/** A container that runs. */
export type MappedContainer = {
  readonly id: string
  readonly name: string
  readonly endpoints: Readonly<Record<string, EndpointSettings>>
  readonly ports: PortMap
}

const OPTION = "com.docker.network.bridge."
const FALSE = new Set(["0", "f", "F", "FALSE", "false", "False"])

export function networkMap(networks: readonly NetworkInspect[], containers: readonly MappedContainer[]): NetworkMap {
  const mapped = networks
    .filter(({ ConfigOnly, Driver }) => !ConfigOnly && Driver !== "null")
    .map((network) => mapNetwork(network, containers))
  return { Networks: mapped, Reaches: reaches(mapped), Ports: containers.flatMap(ports) }
}

function mapNetwork(network: NetworkInspect, containers: readonly MappedContainer[]): MapNetwork {
  const { Name, Id, Driver, IPAM, Options } = network
  const members = containers.flatMap((container): MapContainer[] => {
    const endpoint = container.endpoints[Name]
    if (endpoint === undefined) return []
    const addresses = [endpoint.IPAddress, endpoint.GlobalIPv6Address].flatMap((address) => address || [])
    return [{ Id: container.id, Name: container.name, Addresses: addresses, Names: endpoint.DNSNames ?? [] }]
  })
  return {
    Name,
    Id,
    Driver,
    Subnets: IPAM.Config.flatMap(({ Subnet }) => Subnet ?? []),
    Together: Driver !== "bridge" || !FALSE.has(Options[`${OPTION}enable_icc`] ?? ""),
    Out: wayOut(network),
    Containers: members.sort((a, b) => (a.Name < b.Name ? -1 : 1)),
  }
}

function wayOut({ Driver, Internal, Options, EnableIPv4 }: NetworkInspect): MapNetwork["Out"] {
  if (Driver === "host") return "host"
  const mode = Options[`${OPTION}gateway_mode_ipv${EnableIPv4 ? 4 : 6}`]
  if (Internal || mode === "isolated") return ""
  if (Driver !== "bridge") return "wire"
  return mode === "routed" || FALSE.has(Options[`${OPTION}enable_ip_masquerade`] ?? "") ? "routed" : "masqueraded"
}

/** Each pair once, in the order of names; on the host's network all are the host. */
function reaches(networks: readonly MapNetwork[]): MapReach[] {
  const found = new Map<string, { From: string; To: string; Networks: string[] }>()
  for (const { Name, Together, Containers } of networks) {
    if (!Together) continue
    for (const [index, from] of Containers.entries())
      for (const to of Containers.slice(index + 1)) {
        const key = `${from.Id} ${to.Id}`
        const pair = found.get(key) ?? { From: from.Name, To: to.Name, Networks: [] }
        pair.Networks.push(Name)
        found.set(key, pair)
      }
  }
  return [...found.values()]
}

function ports({ name, ports: map }: MappedContainer): MapPort[] {
  return Object.entries(map).flatMap(([port, bindings]) =>
    (bindings ?? []).map(({ HostIp = "", HostPort = "" }): MapPort => {
      const isLocal = HostIp.startsWith("127.") || HostIp === "::1"
      return { Container: name, Port: port, HostIp, HostPort, From: isLocal ? "this host" : "everywhere" }
    }),
  )
}
