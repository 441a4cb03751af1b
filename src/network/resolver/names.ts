// Who has which name on which network, as the database says now. A look at its version, some microseconds, tells before
// every answer whether anything was written; only rows whose text has changed are parsed again.
import { Database as Sqlite, type Statement } from "bun:sqlite"
import { log } from "../../lib/log.ts"
import { readJsonColumn } from "../../state/json-column.ts"
import type { NamespaceRecord, NetworkRecord } from "../record.ts"

const SAY_AGAIN_MS = 60_000

type NetworkRow = { id: string; name: string; record: string }
type NamespaceRow = { key: string; record: string }

export type Endpoint = {
  readonly network: string
  readonly networkName: string
  readonly container: string
  readonly names: readonly string[]
  readonly addresses: readonly string[]
  /** Private names of others, by alias. */
  readonly links: ReadonlyMap<string, string>
  readonly leadsOut: boolean
}

export type Namespace = { readonly container: string; readonly endpoints: readonly Endpoint[] }
type NetworkNames = Map<string, Endpoint[]>

export class Names {
  readonly #sqlite: Sqlite
  readonly #version: Statement<{ data_version: number }, []>
  readonly #networkRows: Statement<NetworkRow, []>
  readonly #namespaceRows: Statement<NamespaceRow, []>
  readonly #parsed = new Map<string, { readonly text: string; readonly record: NamespaceRecord | undefined }>()
  #seen: number | undefined
  #said = Number.NEGATIVE_INFINITY
  #networksText = ""
  #internal: ReadonlySet<string> = new Set()
  #namespaces = new Map<string, Namespace>()
  #names = new Map<string, NetworkNames>()
  #holders = new Map<string, { readonly endpoint: Endpoint; readonly address: string }>()

  constructor(path: string) {
    this.#sqlite = new Sqlite(path, { readonly: true })
    this.#sqlite.run("PRAGMA busy_timeout = 100")
    this.#sqlite.run("PRAGMA cache_size = -500")
    this.#version = this.#sqlite.query("PRAGMA data_version")
    this.#networkRows = this.#sqlite.query("SELECT id, name, record FROM networks ORDER BY id")
    this.#namespaceRows = this.#sqlite.query("SELECT key, record FROM network_namespaces WHERE owner IS NOT NULL")
  }

  /** Whether the rows could be read. What was known stays otherwise. */
  refresh(): boolean {
    try {
      const version = this.#version.get()?.data_version
      if (version === this.#seen) return true
      this.#read()
      this.#seen = version
      return true
    } catch (error) {
      const now = performance.now()
      if (now - this.#said > SAY_AGAIN_MS) {
        this.#said = now
        log.warn("the database could not be read; names are answered as they were", { error: String(error) })
      }
      return false
    }
  }

  namespace(key: string): Namespace | undefined {
    return this.#namespaces.get(key)
  }

  /** Endpoints that have this name, in lower case, on a network. */
  holders(network: string, name: string): readonly Endpoint[] {
    return this.#names.get(network)?.get(name) ?? []
  }

  /** Who has an address on one of these networks. */
  byAddress(networks: readonly string[], address: string): Endpoint | undefined {
    for (const network of networks) {
      const found = this.#holders.get(`${network} ${address}`)
      if (found !== undefined) return found.endpoint
    }
    return undefined
  }

  /** Every network on which somebody has this name. */
  everywhere(name: string): Endpoint[] {
    return [...this.#names.values()].flatMap((names) => names.get(name) ?? [])
  }

  /** All names of a network. */
  on(network: string): string[] {
    return [...(this.#names.get(network)?.keys() ?? [])]
  }

  close(): void {
    this.#sqlite.close()
  }

  #read(): void {
    const networks = this.#networkRows.all()
    const text = networks.map(({ id, record }) => `${id}${record}`).join("")
    if (text !== this.#networksText) {
      this.#networksText = text
      const internal = networks.filter(
        ({ name, record }) => readJsonColumn<NetworkRecord>(record, `network "${name}"`)?.internal,
      )
      this.#internal = new Set(internal.map(({ id }) => id))
      this.#parsed.clear()
    }
    let changed = false
    const kept = new Set<string>()
    for (const { key, record } of this.#namespaceRows.all()) {
      kept.add(key)
      if (this.#parsed.get(key)?.text === record) continue
      this.#parsed.set(key, { text: record, record: readJsonColumn(record, `network namespace "${key}"`) })
      changed = true
    }
    for (const key of [...this.#parsed.keys()])
      if (!kept.has(key)) {
        this.#parsed.delete(key)
        changed = true
      }
    if (changed) this.#index()
  }

  #index(): void {
    this.#namespaces = new Map()
    this.#names = new Map()
    this.#holders = new Map()
    for (const [key, { record }] of this.#parsed) {
      if (record === undefined) continue
      const endpoints = (record.endpoints ?? []).flatMap((endpoint) => this.#endpoint(record, endpoint))
      this.#namespaces.set(key, { container: record.name, endpoints })
      for (const endpoint of endpoints) this.#indexEndpoint(endpoint)
    }
  }

  #indexEndpoint(endpoint: Endpoint): void {
    const { network, names, addresses } = endpoint
    const onNetwork = this.#names.get(network) ?? new Map<string, Endpoint[]>()
    this.#names.set(network, onNetwork)
    for (const name of new Set(names.map((name) => name.toLowerCase()))) {
      const sharing = onNetwork.get(name)
      if (sharing === undefined) onNetwork.set(name, [endpoint])
      else sharing.push(endpoint)
    }
    for (const address of addresses) this.#holders.set(`${network} ${address}`, { endpoint, address })
  }

  /** None on a network without names, such as the default bridge: it only leads out. */
  #endpoint(record: NamespaceRecord, endpoint: NamespaceRecord["endpoints"][number]): Endpoint[] {
    const { settings, network, networkName } = endpoint
    const { IPAddress, GlobalIPv6Address, Gateway, IPv6Gateway } = settings
    return [
      {
        network,
        networkName,
        container: record.name,
        names: settings.DNSNames ?? [],
        addresses: [IPAddress, GlobalIPv6Address].flatMap((address) => address || []),
        links: new Map((settings.Links ?? []).map(readLink)),
        leadsOut: !this.#internal.has(network) && Boolean(Gateway || IPv6Gateway),
      },
    ]
  }
}

/** "container:alias"; without an alias the container's name is one. */
function readLink(text: string): [string, string] {
  const [container = "", alias = container] = text.split(":")
  return [alias.toLowerCase(), container.replace(/^\//, "").toLowerCase()]
}
