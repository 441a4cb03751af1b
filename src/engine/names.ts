// Names on networks as people ask for them: what a container's programs are answered, by the very process that answers
// them; and what is known here of a name that no network has.
import { isIPv6 } from "node:net"
import { basename } from "node:path"
import { DhowError } from "../lib/errors.ts"
import type { Resolver } from "../network/resolver/contract.ts"
import type { EndpointSettings } from "../wire/container.ts"
import type { Resolution } from "../wire/resolve.ts"
import { donorOf } from "./containers/namespaces.ts"
import { type Container, isRunning } from "./containers/record.ts"
import type { ContainerStore } from "./containers/store.ts"
import type { NameService } from "./contract/names.ts"

type Parts = { readonly resolver: Resolver; readonly store: ContainerStore }

export function openNames({ resolver, store }: Parts): NameService {
  return {
    resolve: async (reference, name) => {
      if (name === "") throw new DhowError("invalid", "no name to resolve")
      if (reference === "") return everywhere(store, name)
      const container = store.resolve(reference)
      const resolution = await asSeenBy({ resolver, store }, container, name)
      const stopped = resolution.Why === "" ? undefined : notRunning(store, name)
      const why = stopped === undefined ? resolution.Why : `${resolution.Why}; ${stopped}`
      return [{ ...resolution, Container: container.record.name, Why: why }]
    },
    failures: async () => await resolver.failures(),
  }
}

/** Whoever shares another's network has its names. */
async function asSeenBy({ resolver, store }: Parts, { record, state }: Container, name: string): Promise<Resolution> {
  const donor = donorOf(record.hostConfig.NetworkMode ?? "")
  if (donor !== undefined) return await asSeenBy({ resolver, store }, store.resolve(donor), name)
  if (!isRunning(state)) throw new DhowError("conflict", `container ${record.name} is not running`)
  const { networkNamespace, endpoints } = state.process
  const isAnswered = Object.values(endpoints).some(({ DNSNames }) => DNSNames)
  if (networkNamespace !== undefined && isAnswered) return await resolver.explain(basename(networkNamespace), name)
  const why = `container "${record.name}" is on no network that answers names: its programs ask the servers in its /etc/resolv.conf`
  return { ...NOTHING, Name: name, Why: why }
}

/** One for every network that somebody has the name on. */
function everywhere(store: ContainerStore, name: string): Resolution[] {
  const found = new Map<string, { container: string; settings: EndpointSettings }[]>()
  for (const { record, state } of store.all()) {
    if (!isRunning(state)) continue
    for (const [network, settings] of Object.entries(state.process.endpoints)) {
      const names = (settings.DNSNames ?? []).map((text) => text.toLowerCase())
      const short = name.toLowerCase()
      if (!names.includes(short) && !names.some((text) => `${text}.${network}`.toLowerCase() === short)) continue
      found.set(network, [...(found.get(network) ?? []), { container: record.name, settings }])
    }
  }
  if (found.size === 0) {
    const stopped = notRunning(store, name)
    const why = `no container that runs is named "${name}" on any network${stopped === undefined ? "" : `; ${stopped}`}`
    return [{ ...NOTHING, Name: name, Status: "NXDOMAIN", Why: why }]
  }
  return [...found].map(([network, holders]) => ({
    ...NOTHING,
    Name: name,
    Networks: [network],
    Status: "NOERROR",
    Source: "network",
    Network: network,
    Holders: holders.map(({ container }) => container),
    Records: holders
      .flatMap(({ settings }) => [settings.IPAddress, settings.GlobalIPv6Address])
      .flatMap((address) => (address ? [{ Type: isIPv6(address) ? "AAAA" : "A", Value: address, TTL: 600 }] : [])),
  }))
}

/** A container of that name that has no address for want of running. */
function notRunning(store: ContainerStore, name: string): string | undefined {
  const wanted = name.toLowerCase()
  const container = store.all().find(({ record, state }) => record.name.toLowerCase() === wanted && !isRunning(state))
  return container === undefined ? undefined : `container "${name}" is not running (${container.state.status})`
}

const NOTHING: Resolution = {
  Name: "",
  Container: "",
  Networks: [],
  Status: "",
  Records: [],
  Source: "none",
  Network: "",
  Holders: [],
  Server: "",
  Cached: false,
  Milliseconds: 0,
  Why: "",
}
