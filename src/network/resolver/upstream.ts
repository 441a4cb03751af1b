// Other name servers: asks them one after the other, a dead one last, remembers their answers by their TTLs. Identical
// questions under way share one; ids and source ports are random, and only an answer to the question itself is taken.
import { randomInt } from "node:crypto"
import { Cache } from "./cache.ts"
import { type Kept, writeQuestion } from "./compose.ts"
import { exchangeTcp, exchangeUdp } from "./exchange.ts"
import { inNamespace } from "./namespace.ts"
import { type Query, RCODE, type Response, readResponse } from "./packet.ts"

/** As in Docker. */
const MOST_SERVERS = 3
const PATIENCE_MS = 4000
/** A server that has not answered yet gets company. */
const NEXT_AFTER_MS = 1000
const DEAD_FOR_MS = 30_000
export const MOST_IN_FLIGHT = 1024
const MOST_DEAD = 256

export type Server = {
  readonly address: string
  /** As resolv.conf's comment writes it: "host(10.0.0.1)". */
  readonly text: string
  /** Where it is asked from: a descriptor of the container's namespace; undefined for the host's. */
  readonly from: number | undefined
  /** Servers of different places are different, though their addresses be the same. */
  readonly place: string
}

export type Outcome =
  | {
      readonly kind: "answer"
      readonly kept: Kept
      readonly rcode: number
      readonly server: string
      readonly age: number
      readonly cached: boolean
    }
  | { readonly kind: "failure"; readonly refused: boolean; readonly why: string }

type Fresh = { readonly kept: Kept; readonly response: Response; readonly server: Server }

export class Upstreams {
  readonly #cache = new Cache()
  readonly #underway = new Map<string, Promise<Outcome>>()
  readonly #dead = new Map<string, number>()
  readonly #port: number

  constructor(port = 53) {
    this.#port = port
  }

  get inFlight(): number {
    return this.#underway.size
  }

  forget(): void {
    this.#cache.clear()
  }

  async ask(query: Query, servers: readonly Server[]): Promise<Outcome> {
    const { edns, flags } = query
    const bits = `${edns === undefined ? "-" : edns.dnssecOk ? "d" : "e"}${flags & 0x0130}`
    const places = servers.map(({ place, address }) => `${place}/${address}`).join(",")
    const key = `${places} ${bits} ${query.type} ${query.class} ${query.name.key}`
    const cached = this.#cache.get(key)
    if (cached !== undefined) return { kind: "answer", cached: true, ...cached }
    const other = this.#underway.get(key)
    if (other !== undefined) return await other
    if (this.#underway.size >= MOST_IN_FLIGHT)
      return { kind: "failure", refused: true, why: `more than ${MOST_IN_FLIGHT} questions are under way` }
    const asking = this.#askAll(query, servers, key).finally(() => this.#underway.delete(key))
    this.#underway.set(key, asking)
    return await asking
  }

  async #askAll(query: Query, servers: readonly Server[], key: string): Promise<Outcome> {
    const ordered = this.#inOrder(servers.slice(0, MOST_SERVERS))
    const reasons: string[] = []
    const over = new AbortController()
    const { promise, resolve } = Promise.withResolvers<Outcome>()
    let open = 0
    let next = 0
    let timer: NodeJS.Timeout | undefined
    const start = (): void => {
      clearTimeout(timer)
      const server = ordered[next++]
      if (server === undefined) {
        if (open === 0) resolve({ kind: "failure", refused: false, why: reasons.join("; ") })
        return
      }
      open++
      timer = setTimeout(start, NEXT_AFTER_MS)
      void this.#askOne(query, server, over.signal).then((result) => {
        open--
        if (over.signal.aborted) return
        if (typeof result !== "string") {
          this.#cache.put(key, { ...result, server: result.server.text })
          const { kept, response } = result
          return resolve({ kind: "answer", kept, rcode: response.rcode, server: server.text, age: 0, cached: false })
        }
        reasons.push(result)
        start()
      })
    }
    start()
    return await promise.finally(() => {
      clearTimeout(timer)
      over.abort()
    })
  }

  /** An answer that a client gets, or why there is none. */
  async #askOne(query: Query, server: Server, signal: AbortSignal): Promise<Fresh | string> {
    const key = `${server.place}/${server.address}`
    try {
      const id = randomInt(0x1_0000)
      const message = writeQuestion(query, id)
      const options = { address: server.address, port: this.#port, message, signal, milliseconds: PATIENCE_MS }
      const accept = (packet: Buffer): Response | undefined => readResponse(packet, { id, query })
      const inside = <T>(body: () => T): T => (server.from === undefined ? body() : inNamespace(server.from, body))
      let got = await exchangeUdp({ ...options, inside, accept })
      if (got.value.truncated) {
        // What was cut is better than nothing where the server has no TCP.
        got = await exchangeTcp({ ...options, inside, accept }).catch(() => got)
      }
      this.#dead.delete(key)
      const { rcode } = got.value
      if (rcode === RCODE.SERVFAIL || rcode === RCODE.REFUSED)
        return `server ${server.address} ${rcode === RCODE.REFUSED ? "refuses to answer" : "says that it failed"}`
      return { kept: { packet: got.packet, records: got.value.records }, response: got.value, server }
    } catch (error) {
      if (!signal.aborted) this.#bury(key)
      return `server ${server.address} ${error instanceof Error ? error.message : String(error)}`
    }
  }

  #bury(key: string): void {
    if (this.#dead.size >= MOST_DEAD) this.#dead.clear()
    this.#dead.set(key, performance.now() + DEAD_FOR_MS)
  }

  /** Those that did not answer lately come last. */
  #inOrder(servers: readonly Server[]): Server[] {
    const now = performance.now()
    const isDead = ({ place, address }: Server): boolean => (this.#dead.get(`${place}/${address}`) ?? 0) > now
    return [...servers.filter((server) => !isDead(server)), ...servers.filter(isDead)]
  }
}
