// Answers of other servers, kept as long as they say: positive ones by the smallest TTL in them, negative ones by their SOA
// (RFC 2308). Bounded by number and by bytes; the oldest go first.
import type { Kept } from "./compose.ts"
import { RCODE, type Response, type Span, TYPE } from "./packet.ts"

const MOST_ENTRIES = 4096
const MOST_BYTES = 4_000_000
/** What one entry costs besides its packet. */
const ENTRY_BYTES = 400
const LONGEST_SECONDS = 86_400
const LONGEST_NEGATIVE_SECONDS = 3600

type Entry = {
  readonly kept: Kept
  readonly rcode: number
  readonly server: string
  readonly since: number
  readonly until: number
}

export class Cache {
  readonly #entries = new Map<string, Entry>()
  readonly #now: () => number
  #bytes = 0

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  get(key: string): { kept: Kept; rcode: number; server: string; age: number } | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    const now = this.#now()
    if (now >= entry.until) {
      this.#delete(key, entry)
      return undefined
    }
    const { kept, rcode, server, since } = entry
    return { kept, rcode, server, age: Math.floor((now - since) / 1000) }
  }

  put(key: string, fresh: { readonly kept: Kept; readonly response: Response; readonly server: string }): void {
    const { kept, response, server } = fresh
    const seconds = lifetime(kept.packet, response)
    if (seconds <= 0) return
    const before = this.#entries.get(key)
    if (before !== undefined) this.#delete(key, before)
    const since = this.#now()
    const entry = { kept, rcode: response.rcode, server, since, until: since + seconds * 1000 }
    this.#entries.set(key, entry)
    this.#bytes += weight(entry)
    for (const [oldest, other] of this.#entries) {
      if (this.#entries.size <= MOST_ENTRIES && this.#bytes <= MOST_BYTES) break
      this.#delete(oldest, other)
    }
  }

  clear(): void {
    this.#entries.clear()
    this.#bytes = 0
  }

  get size(): number {
    return this.#entries.size
  }

  #delete(key: string, entry: Entry): void {
    this.#entries.delete(key)
    this.#bytes -= weight(entry)
  }
}

function weight({ kept }: Entry): number {
  return kept.packet.length + kept.records.length * 100 + ENTRY_BYTES
}

/** Seconds that an answer may be kept; 0 for not at all. */
export function lifetime(packet: Buffer, { rcode, truncated, records }: Response): number {
  if (truncated || (rcode !== RCODE.NOERROR && rcode !== RCODE.NXDOMAIN)) return 0
  const ttl = ({ ttlAt }: Span): number => {
    const seconds = packet.readUInt32BE(ttlAt)
    return seconds > 0x7fff_ffff ? 0 : seconds
  }
  const real = records.filter(({ type }) => type !== TYPE.OPT)
  const smallest = real.reduce((least, record) => Math.min(least, ttl(record)), LONGEST_SECONDS)
  if (rcode === RCODE.NOERROR && records.some(({ section }) => section === 0)) return smallest
  const soa = real.find(({ section, type }) => section === 1 && type === TYPE.SOA)
  if (soa === undefined || soa.end - soa.data < 22) return 0
  return Math.min(smallest, packet.readUInt32BE(soa.end - 4), LONGEST_NEGATIVE_SECONDS)
}
