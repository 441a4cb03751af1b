// GET /dhow/networks/map: who reaches whom, by which names, and what is open from outside.

export type MapContainer = {
  readonly Id: string
  readonly Name: string
  readonly Addresses: readonly string[]
  /** What the others of the network find it by. */
  readonly Names: readonly string[]
}

export type MapNetwork = {
  readonly Name: string
  readonly Id: string
  readonly Driver: string
  readonly Subnets: readonly string[]
  /** Whether its containers reach one another. */
  readonly Together: boolean
  /** How its containers get out: "masqueraded", "routed", "wire" (macvlan and its like), "host", or "" for not at all. */
  readonly Out: "masqueraded" | "routed" | "wire" | "host" | ""
  readonly Containers: readonly MapContainer[]
}

export type MapPort = {
  readonly Container: string
  /** "80/tcp" */
  readonly Port: string
  readonly HostIp: string
  readonly HostPort: string
  /** Who can connect: everybody that reaches the host, or this host alone. */
  readonly From: "everywhere" | "this host"
}

export type MapReach = { readonly From: string; readonly To: string; readonly Networks: readonly string[] }

export type NetworkMap = {
  readonly Networks: readonly MapNetwork[]
  readonly Reaches: readonly MapReach[]
  readonly Ports: readonly MapPort[]
}
