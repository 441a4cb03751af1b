// Where the daemon listens: -H, DHOW_HOST, or the default socket of this user. Only the default address may be
// started automatically: behind another one is a daemon with a state root that we do not know.
import { existsSync } from "node:fs"
import { DhowError } from "../lib/errors.ts"

export type Address = {
  /** As the user gave it, for messages. */
  readonly host: string
  readonly path: string
  readonly isDefault: boolean
}

const SYSTEM_SOCKET = "/run/dhow/dhow.sock"

export function defaultSocketPath(environment: NodeJS.ProcessEnv = process.env, uid = process.getuid?.() ?? 0): string {
  if (uid === 0) return SYSTEM_SOCKET
  // A daemon of the user's own comes first; without one, the machine's, which members of its group may use.
  const own = `${environment["XDG_RUNTIME_DIR"] || `/run/user/${uid}`}/dhow/dhow.sock`
  return existsSync(own) ? own : SYSTEM_SOCKET
}

export function resolveAddress(flag: string | undefined, environment: NodeJS.ProcessEnv = process.env): Address {
  const given = flag ?? (environment["DHOW_HOST"] || undefined)
  if (given === undefined) {
    const path = defaultSocketPath(environment)
    return { host: `unix://${path}`, path, isDefault: true }
  }
  if (given.startsWith("unix://")) {
    const path = given.slice("unix://".length)
    if (path === "") throw new DhowError("invalid", `Host "${given}" names no socket`)
    return { host: given, path, isDefault: path === defaultSocketPath(environment) }
  }
  if (given.startsWith("/")) return resolveAddress(`unix://${given}`, environment)
  throw new DhowError("invalid", `Host "${given}" is not supported`, { hint: "Give a socket as unix:///path/to.sock" })
}
