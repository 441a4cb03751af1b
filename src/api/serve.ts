// Serves an engine's API on every given address.
import type { Engine } from "../engine/contract.ts"
import { commonHeaders, dockerApi } from "./docker/api.ts"
import { type Listener, listen } from "./http/listen.ts"

export type Server = {
  /** What is listened on: "unix:///run/dhow/dhow.sock". */
  readonly addresses: readonly string[]
  /** Stops taking connections; those that are answering finish, idle ones are closed. */
  close(): void
}

export async function serve(options: {
  readonly engine: Engine
  readonly hosts: readonly string[]
  readonly version: string
}): Promise<Server> {
  const connection = { handle: dockerApi(options.engine), commonHeaders: commonHeaders(options.version) }
  const listeners: Listener[] = []
  const close = (): void => {
    for (const listener of listeners) listener.close()
  }
  try {
    for (const host of options.hosts) listeners.push(...(await listen(host, connection)))
  } catch (error) {
    close()
    throw error
  }
  return { addresses: listeners.map((listener) => listener.address), close }
}
