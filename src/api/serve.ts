// Serves an engine's API on every given address; which those are may change while it serves.
import { rmSync } from "node:fs"
import type { Engine } from "../engine/contract.ts"
import type { Registry } from "../engine/registry/registry.ts"
import { registryServerRoutes } from "./dhow/registry.ts"
import { commonHeaders, dockerApi } from "./docker/api.ts"
import { giveToGroup, type Listener, listen } from "./http/listen.ts"
import { RegistryListeners } from "./registry/listeners.ts"

export type Server = {
  /** What is listened on: "unix:///run/dhow/dhow.sock". */
  readonly addresses: readonly string[]
  /** Serves there from now on, and nowhere else; when one address cannot be had, everywhere as before. */
  setHosts(hosts: readonly string[]): Promise<void>
  /** Lets a group use the sockets; undefined for the usual one. */
  setGroup(group: string | undefined): void
  /** Stops taking connections; those that are answering finish, idle ones are closed. */
  close(): void
}

export async function serve(options: {
  readonly engine: Engine
  /** What it serves to others than its own clients, where it does. */
  readonly registry?: Registry
  readonly hosts: readonly string[]
  readonly group?: string | undefined
  readonly version: string
}): Promise<Server> {
  const { engine, registry } = options
  const served = registry === undefined ? undefined : new RegistryListeners(registry)
  const more = registry === undefined || served === undefined ? [] : registryServerRoutes(registry, served)
  const handle = dockerApi(engine, more)
  let group = options.group
  let listening: ReadonlyMap<string, readonly Listener[]> = new Map()
  const closeAll = (some: Iterable<readonly Listener[]>): void => {
    for (const listener of [...some].flat()) listener.close()
  }
  const setHosts = async (hosts: readonly string[]): Promise<void> => {
    const next = new Map<string, readonly Listener[]>()
    const opened: (readonly Listener[])[] = []
    try {
      for (const host of new Set(hosts)) {
        const before = listening.get(host)
        const now = before ?? (await listen(host, { handle, commonHeaders: commonHeaders(options.version), group }))
        if (before === undefined) opened.push(now)
        next.set(host, now)
      }
    } catch (error) {
      closeAll(opened)
      throw error
    }
    const gone = [...listening].filter(([host]) => !next.has(host))
    listening = next
    closeAll(gone.map(([, listeners]) => listeners))
    // What a socket file leads to is gone: a client should hear "no such file", not "connection refused".
    for (const [host] of gone) if (host.startsWith("unix://")) rmSync(host.slice("unix://".length), { force: true })
  }
  const close = (): void => {
    served?.dispose()
    closeAll(listening.values())
  }
  try {
    await setHosts(options.hosts)
    served?.restore()
  } catch (error) {
    close()
    throw error
  }
  return {
    get addresses() {
      return [...listening.values()].flat().map((listener) => listener.address)
    },
    setHosts,
    setGroup(wanted) {
      group = wanted
      for (const host of listening.keys())
        if (host.startsWith("unix://")) giveToGroup(host.slice("unix://".length), group)
    },
    close,
  }
}
