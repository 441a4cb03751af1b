// The resolver's process: serves namespaces until none is left for a while, or until another process has its place. Rows
// are the truth about names, the exec root's files about what is served: it can be killed at any moment.
import { existsSync, renameSync, statSync } from "node:fs"
import { log } from "../../lib/log.ts"
import type { Resolution, ResolverFailure } from "../../wire/resolve.ts"
import { type Asker, type Reply, reply } from "./answer.ts"
import type { ServeOptions } from "./contract.ts"
import { Control, listenControl, type Request } from "./control.ts"
import { explain } from "./explain.ts"
import { Failures } from "./failures.ts"
import { Names } from "./names.ts"
import { closeNamespace, inNamespace, openNamespace } from "./namespace.ts"
import { type Query, RCODE } from "./packet.ts"
import { redirect } from "./redirect.ts"
import {
  controlPath,
  forgetServed,
  namespacePath,
  prepareResolverDirectory,
  readServed,
  type ServedFile,
  servedKeys,
  writeServed,
} from "./served-files.ts"
import { HostServers, ownServers } from "./servers.ts"
import { Serving } from "./serving.ts"
import { Upstreams } from "./upstream.ts"

const LOOK_MS = 10_000
const IDLE_MS = 60_000
/** What is under way when another process takes over has so long to be answered. */
const LEAVE_MS = 4500

type Served = {
  readonly fd: number
  readonly serving: Serving
  readonly since: number
  options: ServeOptions
}

export type ProcessOptions = {
  readonly execRoot: string
  readonly database: string
  /** What tells this build from others. */
  readonly mark: string
  readonly idleMs?: number
}

export class ResolverProcess {
  readonly #options: ProcessOptions
  readonly #names: Names
  readonly #upstreams = new Upstreams()
  readonly #host = new HostServers(() => this.#upstreams.forget())
  readonly #failures = new Failures()
  readonly #served = new Map<string, Served>()
  readonly #binding = new Map<string, Promise<void>>()
  readonly #ended = Promise.withResolvers<void>()
  #control: { stop(): void } | undefined
  #socketInode = 0n
  #idleSince = performance.now()
  #leaving = false

  constructor(options: ProcessOptions) {
    this.#options = options
    this.#names = new Names(options.database)
  }

  /** Takes the place of the process that serves until now, and resolves when its own work is over. */
  async run(): Promise<void> {
    const { execRoot } = this.#options
    prepareResolverDirectory(execRoot)
    this.#names.refresh()
    for (const key of servedKeys(execRoot)) await this.#takeUp(key)
    await this.#takeControl()
    const look = setInterval(() => this.#look(), LOOK_MS)
    await this.#ended.promise
    clearInterval(look)
    this.#control?.stop()
    for (const key of [...this.#served.keys()]) this.#drop(key)
    this.#names.close()
  }

  /** The old process is told last: until then both answer. */
  async #takeControl(): Promise<void> {
    const path = controlPath(this.#options.execRoot)
    const old = await Control.connect(path).catch(() => undefined)
    const own = `${path}.${process.pid}`
    this.#control = listenControl(own, (request) => this.#handle(request))
    this.#socketInode = statSync(own, { bigint: true }).ino
    renameSync(own, path)
    await old?.ask({ verb: "retire" }).catch(() => undefined)
    old?.close()
  }

  async #handle(request: Request): Promise<unknown> {
    switch (request.verb) {
      case "hello":
        return { mark: this.#options.mark, pid: process.pid }
      case "serve":
        await this.#serve(request.key, request.options)
        return {}
      case "withdraw":
        forgetServed(this.#options.execRoot, request.key)
        this.#drop(request.key)
        return {}
      case "explain":
        return await this.#explain(request.key, request.name)
      case "failures":
        return this.#failures.all() satisfies readonly ResolverFailure[]
      case "retire":
        this.#retire()
        return {}
      case "stop":
        this.#ended.resolve()
        return {}
      default:
        return request satisfies never
    }
  }

  async #serve(key: string, options: ServeOptions): Promise<void> {
    if (this.#leaving) throw new Error("the resolver is leaving")
    // Keys are ours, but they become paths.
    if (!/^[0-9a-z-]{1,64}$/.test(key)) throw new RangeError(`"${key}" is no namespace`)
    await this.#binding.get(key)
    const known = this.#served.get(key)
    if (known !== undefined) {
      known.options = options
      writeServed(this.#options.execRoot, key, { ...options, ports: known.serving.ports })
      return
    }
    const binding = this.#bind(key, options, undefined).finally(() => this.#binding.delete(key))
    this.#binding.set(
      key,
      binding.catch(() => undefined),
    )
    await binding
  }

  /** The file comes first: a crash then leaves a redirect that the next process finds its ports for. */
  async #bind(key: string, options: ServeOptions, before: ServedFile | undefined): Promise<void> {
    const { execRoot } = this.#options
    const fd = openNamespace(namespacePath(execRoot, key))
    try {
      const serving = new Serving((query) => this.#respond(key, query))
      await serving.bind(fd, before?.ports)
      this.#served.set(key, { fd, serving, since: performance.now(), options })
      if (before === undefined) writeServed(execRoot, key, { ...options, ports: serving.ports })
      // The process of before may have ended between its file and its rule.
      inNamespace(fd, () => redirect(serving.ports, { keep: before !== undefined }))
    } catch (error) {
      if (this.#served.has(key)) this.#drop(key)
      else closeNamespace(fd)
      if (before === undefined) forgetServed(execRoot, key)
      throw error
    }
  }

  async #takeUp(key: string): Promise<void> {
    const { execRoot } = this.#options
    const file = readServed(execRoot, key)
    if (file === undefined || this.#names.namespace(key) === undefined) return forgetServed(execRoot, key)
    try {
      await this.#bind(key, file, file)
    } catch (error) {
      log.warn("a namespace is not served on the ports of before", { key, error: String(error) })
      await this.#bind(key, file, undefined).catch((failure: unknown) =>
        log.error("a namespace is not served any more", { key, error: String(failure) }),
      )
    }
  }

  #respond(key: string, query: Query): Reply | Promise<Reply> {
    const replied = reply({ names: this.#names, upstreams: this.#upstreams }, this.#asker(key), query)
    if (!(replied instanceof Promise)) return this.#noted(key, query, replied)
    return replied.then((later) => this.#noted(key, query, later))
  }

  #noted(key: string, query: Query, replied: Reply): Reply {
    // That a name has addresses of one family alone is no failure.
    const { rcode, why, network, server } = replied
    if (why !== "" && (rcode !== RCODE.NOERROR || (network === "" && server === "")))
      this.#failures.add(this.#names.namespace(key)?.container ?? "", query, replied)
    return replied
  }

  #asker(key: string): Asker {
    const served = this.#served.get(key)
    return {
      key,
      ndots: served?.options.ndots ?? false,
      servers: ({ endpoints }) => {
        if (served !== undefined && served.options.servers.length > 0)
          return ownServers(served.options.servers, key, served.fd)
        return endpoints.some(({ leadsOut }) => leadsOut) ? this.#host.get() : []
      },
    }
  }

  async #explain(key: string, name: string): Promise<Resolution> {
    const sources = { names: this.#names, upstreams: this.#upstreams }
    this.#names.refresh()
    return await explain(sources, this.#asker(key), name)
  }

  #drop(key: string): void {
    const served = this.#served.get(key)
    if (served === undefined) return
    this.#served.delete(key)
    served.serving.close()
    closeNamespace(served.fd)
    if (this.#served.size === 0) this.#idleSince = performance.now()
  }

  #retire(): void {
    if (this.#leaving) return
    this.#leaving = true
    // What comes from here on is the other's; what was asked already is answered.
    for (const { serving } of this.#served.values()) serving.leave()
    const idle = (): boolean => [...this.#served.values()].every(({ serving }) => serving.isIdle)
    const deadline = performance.now() + LEAVE_MS
    const wait = setInterval(() => {
      if (!idle() && performance.now() < deadline) return
      clearInterval(wait)
      this.#ended.resolve()
    }, 20)
  }

  /** Now and then: what has no row any more, or whether somebody else has our place. */
  #look(): void {
    if (this.#leaving) return
    const { execRoot, idleMs = IDLE_MS } = this.#options
    const socket = statSync(controlPath(execRoot), { bigint: true, throwIfNoEntry: false })
    if (socket?.ino !== this.#socketInode || !existsSync(this.#options.database)) {
      this.#ended.resolve()
      return
    }
    if (this.#names.refresh())
      for (const [key, { since }] of this.#served)
        if (this.#names.namespace(key) === undefined && performance.now() - since > LOOK_MS) {
          forgetServed(execRoot, key)
          this.#drop(key)
        }
    if (this.#served.size === 0 && performance.now() - this.#idleSince > idleMs) this.#ended.resolve()
  }
}
