// What the resolver of user-defined networks says about a name: routes under /dhow/, and its own control socket.

export type ResolvedRecord = {
  /** "A", "AAAA", "PTR", "CNAME". */
  readonly Type: string
  readonly Value: string
  /** Seconds. */
  readonly TTL: number
}

export type Resolution = {
  readonly Name: string
  /** Name of the container that asks; "" for the host's own view. */
  readonly Container: string
  /** Networks whose names are answered there. */
  readonly Networks: readonly string[]
  /** "NOERROR", "NXDOMAIN", "SERVFAIL", "REFUSED". */
  readonly Status: string
  readonly Records: readonly ResolvedRecord[]
  /** Where the answer is from: a network, a name server, or nowhere. */
  readonly Source: "network" | "server" | "none"
  /** The network it was found on. */
  readonly Network: string
  /** Containers that have the name there. */
  readonly Holders: readonly string[]
  /** The name server that answered, as resolv.conf writes it. */
  readonly Server: string
  readonly Cached: boolean
  readonly Milliseconds: number
  /** Why there is no address; "" where there is one. */
  readonly Why: string
}

export type ResolverFailure = {
  /** RFC 3339. */
  readonly Time: string
  readonly Container: string
  readonly Name: string
  readonly Type: string
  readonly Status: string
  readonly Why: string
}
