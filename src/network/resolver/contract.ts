// The resolver of user-defined networks: a process of its own that answers names at 127.0.0.11 in the namespaces of
// containers. It outlives the engine, takes what it answers from the database, and is started again where it died.
import type { Resolution, ResolverFailure } from "../../wire/resolve.ts"

/** The address that images have written into their configuration. */
export const RESOLVER_ADDRESS = "127.0.0.11"

export type ServeOptions = {
  /** What the container, or else the daemon's configuration, names with --dns; empty: as on the host. */
  readonly servers: readonly string[]
  /** Whether the user or the host says how many dots a full name has: then names without a dot are not passed on. */
  readonly ndots: boolean
}

export type ResolverOptions = {
  readonly execRoot: string
  /** Path of the database. */
  readonly database: string
  /** How this program is called for `internal` verbs. */
  readonly internalCommand: readonly string[]
}

export interface Resolver {
  /** Finds the process of an earlier engine: takes its place where it is of another version or serves without living. */
  open(): Promise<void>
  /** Starts the process, so that the first `serve` need not wait for it. */
  warm(): void
  /**
   * Answers names in the network namespace `key` from here on: resolves once the sockets are bound and the redirect
   * stands. The row in network_namespaces says what is answered. Calling it again changes the options.
   */
  serve(key: string, options: ServeOptions): Promise<void>
  /** Fine where it is not served. Until then the sockets keep the namespace alive. */
  withdraw(key: string): void
  /** What is answered to a name in a namespace, from where, and why not. */
  explain(key: string, name: string): Promise<Resolution>
  /** The last answers that failed, oldest first. */
  failures(): Promise<readonly ResolverFailure[]>
  /** Ends the process: for reset and uninstallation. */
  close(): Promise<void>
}
