// The registry server as dhow's own API speaks of it, under /dhow/registry.

/** How one address is served. */
export type RegistryListener = {
  /** "127.0.0.1:5000"; port 0 takes any. */
  readonly address: string
  /** Paths of PEM files on the daemon's machine. */
  readonly tls?: { readonly cert: string; readonly key: string }
  /** Path of a file of users and bcrypt hashes. */
  readonly htpasswd?: string
  /** Whoever has no password may pull. */
  readonly anonymousPull?: boolean
  /** Nobody may push or delete. */
  readonly readOnly?: boolean
  /** Served to others than this machine without TLS or without passwords. */
  readonly insecure?: boolean
  /** Whether the images of this machine are served as well. */
  readonly localImages?: boolean
  /** Names under `prefix` are fetched from `upstream` and kept; an empty prefix means all. */
  readonly proxies?: readonly RegistryProxy[]
}

export type RegistryProxy = { readonly prefix: string; readonly upstream: string }

export type RegistryListenerStatus = RegistryListener & {
  /** "http://127.0.0.1:5000" */
  readonly url: string
  readonly serving: boolean
  /** Why it is not. */
  readonly error?: string
  readonly requests: number
  readonly bytesSent: number
  readonly bytesReceived: number
}

export type RegistryStatus = {
  readonly listeners: readonly RegistryListenerStatus[]
  readonly repositories: number
  /** Bytes of what was pushed and fetched, each blob counted once. */
  readonly size: number
  readonly uploads: number
  readonly cacheHits: number
  readonly cacheMisses: number
}

export type RegistryRepository = {
  readonly name: string
  readonly tags: number
  readonly manifests: number
  readonly size: number
  /** RFC 3339. */
  readonly pushedAt: string
  readonly pulledAt: string
}

export type RegistryTag = {
  readonly name: string
  readonly tag: string
  readonly digest: string
  readonly mediaType: string
  readonly size: number
  readonly platforms: readonly string[]
  readonly pushedAt: string
  readonly pulledAt: string
}

/** What is kept of repositories whose name a pattern matches; times in seconds. */
export type RegistryRetention = {
  /** "*", "team/*" */
  readonly pattern: string
  readonly keepLast?: number
  readonly maxAge?: number
  readonly unusedFor?: number
}

export type RegistryGcRequest = {
  readonly dryRun?: boolean
  /** Manifests without a tag go as well. */
  readonly untagged?: boolean
  /** Seconds that something has to be untouched. */
  readonly grace?: number
}

export type RegistryGcEntry = {
  readonly kind: "tag" | "manifest" | "blob" | "upload"
  readonly name: string
  readonly size: number
  readonly reason: string
}

export type RegistryGcReport = { readonly removed: readonly RegistryGcEntry[]; readonly spaceReclaimed: number }
