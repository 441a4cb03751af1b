// One question of a container, answered: from its networks, else from another server, else with the reason why not. What is
// answered and what is passed on is as in Docker, so that programs see the same.
import { type Answer, EDE, type ExtendedError, type Kept } from "./compose.ts"
import { addressData, addressesOf, FAMILY_OF, findAddress, findName, fullName, nameData } from "./local.ts"
import type { Endpoint, Names, Namespace } from "./names.ts"
import { CLASS_IN, type Query, RCODE, TYPE } from "./packet.ts"
import { noAddress, typeName, unknownName } from "./reasons.ts"
import type { Server, Upstreams } from "./upstream.ts"

/** As in Docker. */
const TTL_SECONDS = 600
/** IXFR and AXFR: zones are not for containers. */
const TRANSFERS: ReadonlySet<number> = new Set([251, 252])

export type Asker = {
  readonly key: string
  readonly ndots: boolean
  /** Asked where the networks do not know. */
  servers(namespace: Namespace): readonly Server[]
}

export type Reply = {
  readonly answer: Answer | { readonly kept: Kept; readonly age: number; readonly error: ExtendedError | undefined }
  readonly rcode: number
  readonly why: string
  readonly network: string
  readonly holders: readonly Endpoint[]
  /** Who answered, where it was another server. */
  readonly server: string
  readonly cached: boolean
}

export type Sources = { readonly names: Names; readonly upstreams: Upstreams }

/** At once where the networks know; otherwise when a server has answered or none will. */
export function reply(sources: Sources, asker: Asker, query: Query): Reply | Promise<Reply> {
  const { names } = sources
  names.refresh()
  const namespace = names.namespace(asker.key) ?? { container: "", endpoints: [] }
  if (query.edns !== undefined && query.edns.version > 0) return own(RCODE.BADVERS)
  if (TRANSFERS.has(query.type)) return own(RCODE.REFUSED, "zones are not transferred")
  return (
    (query.class === CLASS_IN ? local(names, namespace, query) : undefined) ??
    elsewhere(sources, asker, namespace, query)
  )
}

function local(names: Names, namespace: Namespace, query: Query): Reply | undefined {
  const name = query.name.text.toLowerCase()
  if (query.type === TYPE.PTR) {
    const holder = findAddress(names, namespace, name)
    const data = holder === undefined ? undefined : nameData(fullName(holder))
    if (holder === undefined || data === undefined) return undefined
    return own(RCODE.NOERROR, "", {
      records: [{ type: TYPE.PTR, ttl: TTL_SECONDS, data }],
      network: holder.networkName,
      holders: [holder],
    })
  }
  const family = FAMILY_OF.get(query.type)
  const found = findName(names, namespace, name)
  if (found === undefined) return undefined
  const { network, holders } = found
  if (family === undefined) {
    // No mail exchanger of its own: mail goes to its address. A name without a dot is nobody else's either.
    if (query.type !== TYPE.MX && name.includes(".")) return undefined
    return own(RCODE.NOERROR, noAddress(name, typeName(query.type), holders, network), { network, holders })
  }
  const addresses = rotate(addressesOf(found, family))
  const records = addresses.map((address) => ({ type: query.type, ttl: TTL_SECONDS, data: addressData(address) }))
  const why = records.length > 0 ? "" : noAddress(name, typeName(query.type), holders, network)
  return own(RCODE.NOERROR, why, { records, network, holders })
}

async function elsewhere(sources: Sources, asker: Asker, namespace: Namespace, query: Query): Promise<Reply> {
  const { names, upstreams } = sources
  const name = query.name.text.toLowerCase()
  const isAddress = query.type === TYPE.A || query.type === TYPE.AAAA
  // Said only where there is something to be said.
  const unknown = (): string => unknownName(names, namespace, name)
  // Whoever set ndots wants a search domain to be added; the name as it is leads nowhere.
  if (isAddress && asker.ndots && !name.includes("."))
    return own(RCODE.NOERROR, `${unknown()}; with ndots set it is not asked elsewhere`)
  const servers = asker.servers(namespace)
  if (servers.length === 0) {
    const internal = namespace.endpoints.length > 0 && !namespace.endpoints.some(({ leadsOut }) => leadsOut)
    const why = internal ? "its networks are internal, so no other server is asked" : "there is no other server to ask"
    return own(RCODE.SERVFAIL, `${unknown()}; ${why}`, { code: internal ? EDE.PROHIBITED : EDE.NO_REACHABLE_SERVER })
  }
  const outcome = await upstreams.ask(query, servers)
  if (outcome.kind === "failure")
    return own(outcome.refused ? RCODE.REFUSED : RCODE.SERVFAIL, `${unknown()}; ${outcome.why}`, {
      code: EDE.NO_REACHABLE_SERVER,
    })
  const { kept, rcode, server, age } = outcome
  const empty = rcode !== RCODE.NOERROR || !kept.records.some(({ section }) => section === 0)
  const why = empty ? whyEmpty(unknown(), { name, rcode, server, type: typeName(query.type) }) : ""
  const error = empty ? { code: EDE.OTHER, text: why } : undefined
  return { answer: { kept, age, error }, rcode, why, network: "", holders: [], server, cached: outcome.cached }
}

function whyEmpty(
  unknown: string,
  {
    name,
    rcode,
    server,
    type,
  }: { readonly name: string; readonly rcode: number; readonly server: string; readonly type: string },
): string {
  if (rcode === RCODE.NXDOMAIN) return `${unknown}; server ${server} knows no "${name}" either`
  if (rcode === RCODE.NOERROR) return `${unknown}; server ${server} knows the name, but no ${type} record of it`
  return `${unknown}; server ${server} answered with an error`
}

type OwnReply = Partial<Pick<Reply, "network" | "holders">> &
  Partial<Pick<Answer, "records">> & { readonly code?: number }

function own(
  rcode: number,
  why = "",
  { network = "", holders = [], records = [], code = EDE.OTHER }: OwnReply = {},
): Reply {
  const error = why === "" ? undefined : { code, text: why }
  return { answer: { rcode, records, error }, rcode, why, network, holders, server: "", cached: false }
}

let turn = 0

/** Several containers of one name take turns at being the first. */
function rotate<T>(all: readonly T[]): readonly T[] {
  if (all.length < 2) return all
  const first = turn++ % all.length
  return [...all.slice(first), ...all.slice(0, first)]
}
