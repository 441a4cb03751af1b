// The rows of networks, network_namespaces and addresses: one prepared statement per step.
import { randomBytes } from "node:crypto"
import { DhowError } from "../lib/errors.ts"
import type { Database } from "../state/database.ts"
import { readJsonColumn } from "../state/json-column.ts"
import type { Namespace, NamespaceRecord, Network, NetworkRecord } from "./record.ts"
import { formatAddress, formatSubnet, lastOf, type Subnet } from "./subnet.ts"

type NetworkRow = { id: string; name: string; created_at: number; record: string }
type NamespaceRow = { key: string; owner: string | null; record: string }
type Nothing = Record<string, never>

export class Tables {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  transaction(body: () => void): void {
    this.#database.transaction(body)
  }

  networks(): Network[] {
    const sql = "SELECT id, name, created_at, record FROM networks ORDER BY created_at, name"
    return this.#database.query<NetworkRow, Nothing>(sql).all({}).flatMap(toNetwork)
  }

  networkByName(name: string): Network | undefined {
    const sql = "SELECT id, name, created_at, record FROM networks WHERE name = $name"
    const row = this.#database.query<NetworkRow, { name: string }>(sql).get({ name })
    return row === null ? undefined : toNetwork(row)[0]
  }

  /** By id or its beginning; several when the beginning is not unique. */
  networksById(prefix: string): Network[] {
    const sql =
      "SELECT id, name, created_at, record FROM networks WHERE substr(id, 1, length($prefix)) = $prefix LIMIT 2"
    return this.#database.query<NetworkRow, { prefix: string }>(sql).all({ prefix }).flatMap(toNetwork)
  }

  /** Inserts it, or replaces the record of the one with this name. */
  putNetwork(name: string, record: NetworkRecord): Network {
    const sql = `INSERT INTO networks (id, name, created_at, cursor, record) VALUES ($id, $name, $now, 0, $record)
      ON CONFLICT (name) DO UPDATE SET record = excluded.record, cursor = 0`
    const values = { id: randomBytes(32).toString("hex"), name, now: Date.now(), record: JSON.stringify(record) }
    this.#database.query<unknown, typeof values>(sql).run(values)
    const network = this.networkByName(name)
    if (network === undefined) throw new DhowError("internal", `Network "${name}" was not stored`)
    return network
  }

  namespaces(): Namespace[] {
    const sql = "SELECT key, owner, record FROM network_namespaces"
    return this.#database.query<NamespaceRow, Nothing>(sql).all({}).flatMap(toNamespace)
  }

  namespacesOf(owner: string): Namespace[] {
    const sql = "SELECT key, owner, record FROM network_namespaces WHERE owner = $owner"
    return this.#database.query<NamespaceRow, { owner: string }>(sql).all({ owner }).flatMap(toNamespace)
  }

  owners(): string[] {
    const sql = "SELECT DISTINCT owner FROM network_namespaces WHERE owner IS NOT NULL"
    const rows = this.#database.query<{ owner: string }, Nothing>(sql).all({})
    return rows.map((row) => row.owner)
  }

  insertNamespace(key: string, record: NamespaceRecord): void {
    const sql = "INSERT INTO network_namespaces (key, owner, record) VALUES ($key, NULL, $record)"
    this.#database.query<unknown, { key: string; record: string }>(sql).run({ key, record: JSON.stringify(record) })
  }

  claimNamespace(key: string, owner: string, record: NamespaceRecord): void {
    const sql = "UPDATE network_namespaces SET owner = $owner, record = $record WHERE key = $key AND owner IS NULL"
    const values = { key, owner, record: JSON.stringify(record) }
    const { changes } = this.#database.query<unknown, typeof values>(sql).run(values)
    if (changes !== 1) throw new DhowError("internal", `Network namespace "${key}" is not free`)
  }

  /** Of one that has an owner. */
  putNamespace(key: string, record: NamespaceRecord): void {
    const sql = "UPDATE network_namespaces SET record = $record WHERE key = $key AND owner IS NOT NULL"
    this.#database.query<unknown, { key: string; record: string }>(sql).run({ key, record: JSON.stringify(record) })
  }

  /** The namespace's row and its addresses. */
  deleteNamespace(key: string): void {
    this.#database.essential(() =>
      this.#database.transaction(() => {
        this.#database.query<unknown, { key: string }>("DELETE FROM addresses WHERE owner = $key").run({ key })
        this.#database.query<unknown, { key: string }>("DELETE FROM network_namespaces WHERE key = $key").run({ key })
      }),
    )
  }

  /** Addresses taken for a namespace that never came to be. */
  deleteStrayAddresses(): void {
    const sql = "DELETE FROM addresses WHERE owner NOT IN (SELECT key FROM network_namespaces)"
    this.#database.query<unknown, Nothing>(sql).run({})
  }

  /**
   * Takes the first free address after the one given out last, so that an address rests as long as possible before
   * another container gets it. The subnet's first and last address, the gateway and `reserved` are never given.
   */
  takeAddress(network: Network, subnet: Subnet, reserved: ReadonlySet<number>, key: string): string {
    return this.#database.transaction(() => {
      const first = subnet.base + 1
      const last = lastOf(subnet) - 1
      const cursor = this.#cursor(network.id)
      let candidate = cursor >= first && cursor < last ? cursor + 1 : first
      for (let tried = 0; tried <= last - first; tried++) {
        const address = formatAddress(candidate)
        if (!reserved.has(candidate) && this.#insertAddress(network.id, address, key)) {
          const sql = "UPDATE networks SET cursor = $candidate WHERE id = $id"
          this.#database.query<unknown, { candidate: number; id: string }>(sql).run({ candidate, id: network.id })
          return address
        }
        candidate = candidate < last ? candidate + 1 : first
      }
      throw new DhowError("unavailable", `No address is left in ${formatSubnet(subnet)} of network "${network.name}"`)
    })
  }

  /** False where somebody has it. */
  claimAddress(network: Network, address: string, key: string): boolean {
    return this.#insertAddress(network.id, address, key)
  }

  #cursor(id: string): number {
    const sql = "SELECT cursor FROM networks WHERE id = $id"
    return this.#database.query<{ cursor: number }, { id: string }>(sql).get({ id })?.cursor ?? 0
  }

  #insertAddress(network: string, address: string, key: string): boolean {
    const sql = "INSERT OR IGNORE INTO addresses (network_id, address, owner) VALUES ($network, $address, $key)"
    const values = { network, address, key }
    return this.#database.query<unknown, typeof values>(sql).run(values).changes === 1
  }
}

/** One, or none where the row is unreadable. */
function toNetwork(row: NetworkRow): Network[] {
  const record = readJsonColumn<NetworkRecord>(row.record, `network "${row.name}"`)
  return record === undefined ? [] : [{ id: row.id, name: row.name, createdAt: row.created_at, record }]
}

function toNamespace(row: NamespaceRow): Namespace[] {
  const record = readJsonColumn<NamespaceRecord>(row.record, `network namespace "${row.key}"`)
  return record === undefined ? [] : [{ key: row.key, owner: row.owner, record }]
}
