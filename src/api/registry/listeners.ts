// The addresses that the registry is served on: opened when asked for and again at every start of the daemon, until they
// are closed for good. Bun.serve sends files without copying them through this process, and speaks TLS.
import { readFileSync } from "node:fs"
import { checkListener, formatAddress, parseAddress } from "../../engine/registry/listener-settings.ts"
import type { Registry } from "../../engine/registry/registry.ts"
import { DhowError, describeError } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"
import type { RegistryListener, RegistryListenerStatus, RegistryStatus } from "../../wire/registry-server.ts"
import { registryHandler } from "./handler.ts"
import { Metrics } from "./metrics.ts"

/** Seconds in which a client has to say or take something. */
const IDLE_SECONDS = 120
const MOST_REQUESTS = 1000

const GAUGES = {
  repositories: "Repositories that were pushed to or fetched",
  disk_bytes: "Bytes of what was pushed and fetched, each blob once",
  uploads: "Uploads under way",
} as const

type Open = { readonly listener: RegistryListener; readonly server: Bun.Server<undefined> }

export class RegistryListeners {
  readonly #registry: Registry
  readonly #metrics: Metrics
  readonly #open = new Map<string, Open>()
  readonly #failed = new Map<string, string>()
  #tending: Disposable | undefined

  constructor(registry: Registry) {
    this.#registry = registry
    this.#metrics = new Metrics(GAUGES, () => ({
      repositories: registry.records.names().length,
      disk_bytes: registry.records.bytes(),
      uploads: registry.uploads.count(),
    }))
  }

  /** What was open when the daemon ended. What cannot be opened now says so in the status, and costs nothing else. */
  restore(): void {
    for (const listener of this.#registry.listeners.all())
      try {
        this.#listen(listener)
      } catch (error) {
        this.#failed.set(listener.address, describeError(error))
        log.error("The registry cannot be served", { address: listener.address, error: describeError(error) })
      }
  }

  /** Serves an address, in place of what was served there. */
  serve(asked: RegistryListener): RegistryListenerStatus {
    checkListener(asked)
    const before = this.#open.get(asked.address)
    before?.server.stop(true)
    this.#open.delete(asked.address)
    let listener: RegistryListener
    try {
      listener = this.#listen(asked)
    } catch (error) {
      if (before !== undefined) this.#listen(before.listener)
      throw error
    }
    this.#registry.listeners.put(listener)
    return this.#describe(listener)
  }

  /** Stops serving an address, now and after the next start. */
  close(address: string): void {
    const open = this.#open.get(address)
    const isKnown = this.#registry.listeners.remove(address)
    if (open === undefined && !isKnown)
      throw new DhowError("not-found", `The registry is not served on "${address}"`, {
        hint: "See: dhow registry status",
      })
    this.#failed.delete(address)
    this.#open.delete(address)
    open?.server.stop(true)
    if (this.#open.size > 0) return
    this.#tending?.[Symbol.dispose]()
    this.#tending = undefined
  }

  /** Lets go of the sockets; the addresses stay known. */
  dispose(): void {
    for (const { server } of this.#open.values()) server.stop(true)
    this.#open.clear()
    this.#tending?.[Symbol.dispose]()
  }

  status(): RegistryStatus {
    const { records, uploads, listeners } = this.#registry
    return {
      listeners: listeners.all().map((listener) => this.#describe(listener)),
      repositories: records.names().length,
      size: records.bytes(),
      uploads: uploads.count(),
      cacheHits: this.#metrics.cache.sum({ result: "hit" }),
      cacheMisses: this.#metrics.cache.sum({ result: "miss" }),
    }
  }

  #listen(asked: RegistryListener): RegistryListener {
    const { hostname, port } = parseAddress(asked.address)
    // The port is known only once it is open, and what is counted goes under the real address.
    let handle: (request: Request) => Promise<Response> = async () => new Response(null, { status: 503 })
    const server = bind(asked, {
      hostname,
      port,
      idleTimeout: IDLE_SECONDS,
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      development: false,
      async fetch(request, self) {
        if (self.pendingRequests > MOST_REQUESTS)
          return new Response(null, { status: 503, headers: { "Retry-After": "5" } })
        return await handle(request)
      },
      error(error) {
        log.error("A request to the registry failed", { error: describeError(error) })
        return new Response(null, { status: 500 })
      },
    })
    const listener = { ...asked, address: formatAddress({ hostname, port: server.port ?? port }) }
    try {
      handle = registryHandler({ registry: this.#registry, listener, metrics: this.#metrics })
    } catch (error) {
      void server.stop(true)
      throw error
    }
    this.#failed.delete(listener.address)
    this.#open.set(listener.address, { listener, server })
    this.#tending ??= this.#registry.tend()
    log.info("Serving the registry", { url: urlOf(listener) })
    return listener
  }

  #describe(listener: RegistryListener): RegistryListenerStatus {
    const where = { listener: listener.address }
    const error = this.#failed.get(listener.address)
    return {
      ...listener,
      url: urlOf(listener),
      serving: this.#open.has(listener.address),
      ...(error === undefined ? {} : { error }),
      requests: this.#metrics.requests.sum(where),
      bytesSent: this.#metrics.sent.sum(where),
      bytesReceived: this.#metrics.received.sum(where),
    }
  }
}

type ServeOptions = Parameters<typeof Bun.serve<undefined>>[0]

function bind({ address, tls }: RegistryListener, options: ServeOptions): Bun.Server<undefined> {
  const secrets = tls === undefined ? {} : { tls: { cert: pem(tls.cert), key: pem(tls.key) } }
  try {
    return Bun.serve<undefined>({ ...options, ...secrets } as ServeOptions)
  } catch (cause) {
    throw new DhowError("unavailable", `Cannot listen on "${address}"`, { cause })
  }
}

function pem(path: string): string {
  try {
    return readFileSync(path, "utf8")
  } catch (cause) {
    throw new DhowError("invalid", `Cannot read "${path}"`, { cause })
  }
}

function urlOf({ address, tls }: RegistryListener): string {
  return `${tls === undefined ? "http" : "https"}://${address.replace(/^0\.0\.0\.0:/, "localhost:")}`
}
