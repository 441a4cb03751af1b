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

const EXEC_ROOT = "/run/dhow"

export function defaultSocketPath(environment: NodeJS.ProcessEnv = process.env, uid = process.getuid?.() ?? 0): string {
  // The daemon that we would start reads the same variable.
  const system = `${environment["DHOW_EXEC_ROOT"] || EXEC_ROOT}/dhow.sock`
  if (uid === 0) return system
  // A daemon of the user's own comes first; without one, the machine's, which members of its group may use.
  const own = `${environment["XDG_RUNTIME_DIR"] || `/run/user/${uid}`}/dhow/dhow.sock`
  return existsSync(own) ? own : system
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
