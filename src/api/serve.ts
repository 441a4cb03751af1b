// Serves an engine's API on every given address.
import type { Engine } from "../engine/contract.ts"
import type { Registry } from "../engine/registry/registry.ts"
import { registryServerRoutes } from "./dhow/registry.ts"
import { commonHeaders, dockerApi } from "./docker/api.ts"
import { type Listener, listen } from "./http/listen.ts"
import { RegistryListeners } from "./registry/listeners.ts"

export type Server = {
  /** What is listened on: "unix:///run/dhow/dhow.sock". */
  readonly addresses: readonly string[]
  /** Stops taking connections; those that are answering finish, idle ones are closed. */
  close(): void
}

export async function serve(options: {
  readonly engine: Engine
  /** What it serves to others than its own clients, where it does. */
  readonly registry?: Registry
  readonly hosts: readonly string[]
  readonly version: string
}): Promise<Server> {
  const { engine, registry } = options
  const served = registry === undefined ? undefined : new RegistryListeners(registry)
  const more = registry === undefined || served === undefined ? [] : registryServerRoutes(registry, served)
  const handle = dockerApi(engine, more)
  const connection = { handle, commonHeaders: commonHeaders(options.version) }
  const listeners: Listener[] = []
  const close = (): void => {
    served?.dispose()
    for (const listener of listeners) listener.close()
  }
  try {
    for (const host of options.hosts) listeners.push(...(await listen(host, connection)))
    served?.restore()
  } catch (error) {
    close()
    throw error
  }
  return { addresses: listeners.map((listener) => listener.address), close }
}
