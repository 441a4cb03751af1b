// How registries are reached, as the `registries` key of the configuration says it. Prefixes are canonical names, whole
// path components only: "docker.io", "docker.io/library", "example.com:5000/team".

export type HostSettings = {
  /** Certificates are not verified, and plain HTTP will do. */
  readonly insecure?: boolean
  /** Paths of PEM files. */
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  /** Path of a file with logins, as docker's client keeps them, for whoever brings none to this host. */
  readonly auth?: string
}

export type PrefixSettings = {
  /** What takes the prefix's place: "mirror.example.com/hub". */
  readonly rewrite?: string
  /** Asked first, in this order, when pulling; each takes the prefix's place. */
  readonly mirrors?: readonly string[]
  readonly blocked?: boolean
}

export type RegistrySettings = {
  /** Where names without a registry go, in place of docker.io. */
  readonly default?: string
  readonly prefixes?: Readonly<Record<string, PrefixSettings>>
  /** By "host" or "host:port". */
  readonly hosts?: Readonly<Record<string, HostSettings>>
  /** Hosts with an address in one of these are insecure, unless it is said otherwise of them: "10.0.0.0/8". */
  readonly insecureBlocks?: readonly string[]
}
