// The rows of networks, network_namespaces and addresses: one prepared statement per step.
import { randomBytes } from "node:crypto"
import { DhowError } from "../lib/errors.ts"
import { formatIp, formatPrefix, type Prefix } from "../lib/ip-address.ts"
import type { Database } from "../state/database.ts"
import { readJsonColumn } from "../state/json-column.ts"
import type { Namespace, NamespaceRecord, Network, NetworkRecord } from "./record.ts"

type NetworkRow = { id: string; name: string; created_at: number; record: string }
type NamespaceRow = { key: string; owner: string | null; record: string }
type Nothing = Record<string, never>

/** Where in a subnet addresses are given out. */
export type Place = { readonly subnet: Prefix; readonly first: bigint; readonly last: bigint }

/** More addresses than a network has containers; an IPv6 subnet is not to be gone through. */
const TRIES = 1n << 20n

export function newId(): string {
  return randomBytes(32).toString("hex")
}

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

  /** Throws conflict where there is one of this name. */
  insertNetwork(id: string, name: string, record: NetworkRecord): Network {
    const sql = "INSERT OR IGNORE INTO networks (id, name, created_at, record) VALUES ($id, $name, $now, $record)"
    const values = { id, name, now: Date.now(), record: JSON.stringify(record) }
    if (this.#database.query<unknown, typeof values>(sql).run(values).changes !== 1)
      throw new DhowError("conflict", `network with name ${name} already exists`)
    return { id, name, createdAt: values.now, record }
  }

  /** Inserts it, or replaces the record of the one with this name. */
  putNetwork(name: string, record: NetworkRecord): Network {
    const known = this.networkByName(name)
    if (known === undefined) return this.insertNetwork(newId(), name, record)
    this.#database.transaction(() => {
      const update = "UPDATE networks SET record = $record WHERE id = $id"
      const values = { id: known.id, record: JSON.stringify(record) }
      this.#database.query<unknown, typeof values>(update).run(values)
      const forget = "DELETE FROM address_cursors WHERE network_id = $id"
      this.#database.query<unknown, { id: string }>(forget).run({ id: known.id })
    })
    return { ...known, record }
  }

  /** Its addresses and cursors go with it. */
  deleteNetwork(id: string): void {
    this.#database.essential(() => {
      this.#database.query<unknown, { id: string }>("DELETE FROM networks WHERE id = $id").run({ id })
    })
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
  takeAddress(network: Network, place: Place, reserved: ReadonlySet<string>, key: string): string {
    const { subnet, first, last } = place
    return this.#database.transaction(() => {
      const cursor = subnet.base + BigInt(this.#cursor(network.id, subnet))
      let candidate = cursor >= first && cursor < last ? cursor + 1n : first
      const count = last - first + 1n
      for (let tried = 0n; tried < count && tried < TRIES; tried++) {
        const address = formatIp({ family: subnet.family, value: candidate })
        if (!reserved.has(address) && this.#insertAddress(network.id, address, key)) {
          this.#moveCursor(network.id, subnet, Number(candidate - subnet.base))
          return address
        }
        candidate = candidate < last ? candidate + 1n : first
      }
      throw new DhowError("unavailable", `No address is left in ${formatPrefix(subnet)} of network "${network.name}"`, {
        hint: "Remove containers, or make a network with a larger subnet",
      })
    })
  }

  /** False where somebody has it. */
  claimAddress(network: Network, address: string, key: string): boolean {
    return this.#insertAddress(network.id, address, key)
  }

  /** What a namespace has on one network. */
  releaseAddresses(network: string, key: string): void {
    const sql = "DELETE FROM addresses WHERE network_id = $network AND owner = $key"
    this.#database.essential(() => {
      this.#database.query<unknown, { network: string; key: string }>(sql).run({ network, key })
    })
  }

  #cursor(network: string, subnet: Prefix): number {
    const sql = "SELECT place FROM address_cursors WHERE network_id = $network AND subnet = $subnet"
    const values = { network, subnet: formatPrefix(subnet) }
    return this.#database.query<{ place: number }, typeof values>(sql).get(values)?.place ?? 0
  }

  #moveCursor(network: string, subnet: Prefix, place: number): void {
    const sql = `INSERT INTO address_cursors (network_id, subnet, place) VALUES ($network, $subnet, $place)
      ON CONFLICT (network_id, subnet) DO UPDATE SET place = excluded.place`
    const values = { network, subnet: formatPrefix(subnet), place }
    this.#database.query<unknown, typeof values>(sql).run(values)
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
