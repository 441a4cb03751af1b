// Why a name has no address, in words for whoever asked.
import { nearest } from "../../lib/suggest.ts"
import type { Endpoint, Names, Namespace } from "./names.ts"

const MOST_NAMED = 3
const MOST_COMPARED = 50
const LONGEST_COMPARED = 32

/** What the networks of a container have to say about a name that none of them knows. */
export function unknownName(names: Names, namespace: Namespace, name: string): string {
  const own = namespace.endpoints.filter((endpoint) => endpoint.names.length > 0)
  if (own.length === 0) return "the container is on no network that answers names"
  const on = `network${own.length === 1 ? "" : "s"} ${list(own.map(({ networkName }) => networkName))}`
  const said = `no container named "${name}" on ${on}`
  const elsewhere = others(names, namespace, name)
  if (elsewhere.length > 0) {
    const where = `network${elsewhere.length === 1 ? "" : "s"} ${list(elsewhere)}`
    return `${said}; a container of that name runs on ${where}`
  }
  const meant = similar(
    name,
    own.flatMap(({ network }) => names.on(network)),
  )
  return meant === undefined ? said : `${said}; there is "${meant}"`
}

/** Comparing costs, and whoever asks for nonsense all day is not to be the one who makes us pay it. */
function similar(name: string, known: readonly string[]): string | undefined {
  if (name.includes(".") || name.length > LONGEST_COMPARED) return undefined
  const near = known.filter((other) => Math.abs(other.length - name.length) <= 2)
  return nearest(name, near.slice(0, MOST_COMPARED))
}

/** Names of the networks on which somebody has this name, this container not being there. */
function others(names: Names, { endpoints }: Namespace, name: string): string[] {
  const own = new Set(endpoints.map(({ network }) => network))
  const found = names.everywhere(name).filter(({ network }) => !own.has(network))
  return [...new Set(found.map(({ networkName }) => networkName))]
}

/** The name is there, its address of this family is not. */
export function noAddress(name: string, type: string, holders: readonly Endpoint[], network: string): string {
  const who = list([...new Set(holders.map(({ container }) => container))])
  return `"${name}" is ${who} on network ${network}, which has no ${type} record`
}

export function list(words: readonly string[]): string {
  const shown = words.slice(0, MOST_NAMED).join(", ")
  return words.length > MOST_NAMED ? `${shown} and ${words.length - MOST_NAMED} more` : shown
}

const TYPE_NAMES: ReadonlyMap<number, string> = new Map([
  [1, "A"],
  [2, "NS"],
  [5, "CNAME"],
  [6, "SOA"],
  [12, "PTR"],
  [15, "MX"],
  [16, "TXT"],
  [28, "AAAA"],
  [33, "SRV"],
  [64, "SVCB"],
  [65, "HTTPS"],
  [255, "ANY"],
])
const RCODE_NAMES = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"]

export function typeName(type: number): string {
  return TYPE_NAMES.get(type) ?? `TYPE${type}`
}

export function rcodeName(rcode: number): string {
  return RCODE_NAMES[rcode] ?? `RCODE${rcode}`
}
