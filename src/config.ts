// Where everything is and how the daemon behaves: defaults < Docker's file < file < environment < flags. The engine reads a
// view of it whose values change with a reload (src/settings/live.ts), so it asks when it needs one and keeps none.
export type Config = {
  /** State that survives a reboot: database, content, snapshots, containers, volumes. */
  readonly dataRoot: string
  /** What does not: sockets, exit files, namespaces, mounts. */
  readonly execRoot: string
  /** How layers are kept where the data root does not say already; "auto" is the best that this host can. */
  readonly storageDriver: "directory" | "erofs" | "auto"
  /** Addresses to serve on: "unix:///run/dhow/dhow.sock". */
  readonly hosts: readonly string[]
  readonly configFile: string
  readonly logLevel: "debug" | "info" | "warn" | "error"
  /** Members of it may use the sockets; undefined for the first of "dhow" and "docker" that there is. */
  readonly group: string | undefined
  readonly pidfile: string | undefined
  /** "key=value", as GET /info shows them. */
  readonly labels: readonly string[]
  readonly defaultRuntime: string
  /** Further runtimes by name. */
  readonly runtimes: Readonly<Record<string, { readonly path: string; readonly runtimeArgs?: readonly string[] }>>
  /** Whether containers whose creator says nothing get an init process. */
  readonly init: boolean
  /** Program of that; undefined for catatonit, wherever it is. */
  readonly initPath: string | undefined
  /** What containers get whose creator says nothing. */
  readonly defaultShmSize: number
  readonly defaultIpcMode: "private" | "shareable"
  /** undefined for what suits the host's cgroups. */
  readonly defaultCgroupnsMode: "host" | "private" | undefined
  readonly defaultUlimits: readonly { readonly Name: string; readonly Soft: number; readonly Hard: number }[]
  readonly noNewPrivileges: boolean
  /** "builtin", "unconfined", or a file. */
  readonly seccompProfile: string
  readonly hostGatewayIps: readonly string[]
  /** Parent of the containers' cgroups, absolute in each hierarchy: "/dhow". */
  readonly cgroupParent: string
  readonly dns: readonly string[]
  readonly dnsSearch: readonly string[]
  readonly dnsOptions: readonly string[]
  /** Where containers log whose creator names no driver; undefined for the engine's own file. */
  readonly logDriver: string | undefined
  readonly logOptions: Readonly<Record<string, string>>
  /** Where specifications of CDI devices are, the last one counting most. */
  readonly cdiSpecDirs: readonly string[]
  /** Interface of the default bridge where the user names one, and its subnet where the user fixes it ("172.17.0.1/16"). */
  readonly bridge: string | undefined
  readonly bip: string | undefined
  /** Address of the host for published ports that name none: "0.0.0.0" for all. */
  readonly publishAddress: string
  /** Ready network namespaces to keep. */
  readonly networkPool: number
  /** What networks get their subnets from that name none; undefined for the engine's own choice. */
  readonly addressPools: readonly { readonly base: string; readonly size: number }[] | undefined
  /** By driver: options of networks whose creator does not say otherwise. */
  readonly networkOptions: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Whether requests for a platform take what it runs as well: 386 for amd64, arm/v6 for arm64. */
  readonly platformCompat: boolean
  /** Bytes per second of a pull or push that asks for nothing else; undefined for no bound. */
  readonly limitRate: number | undefined
  readonly maxConcurrentDownloads: number
  readonly maxConcurrentUploads: number
  /** To registries; each stands before what the environment says. */
  readonly proxies: { readonly http?: string; readonly https?: string; readonly no?: string }
  /** Seconds that the server of a volume has to answer. */
  readonly volumeMountTimeout: number
  /** How the disk is kept from filling up with images. */
  readonly gc: GcConfig | undefined
  /** How registries are reached. */
  readonly registries: RegistriesConfig
}

export type GcConfig = {
  /** Shares of the file system from 0 to 1: above the one images are removed, down to the other. */
  readonly max: number
  readonly floor: number
  /** Milliseconds: what was used since stays. */
  readonly unused: number
  /** So many images of each repository stay, the newest. */
  readonly keepLast: number
  /** Images with one of these labels ("key" or "key=value") stay. */
  readonly protect: readonly string[]
}

/** Prefixes are canonical names ("docker.io/library"), hosts "host" or "host:port". */
export type RegistriesConfig = {
  readonly default?: string
  readonly prefixes?: Readonly<
    Record<string, { readonly rewrite?: string; readonly mirrors?: readonly string[]; readonly blocked?: boolean }>
  >
  readonly hosts?: Readonly<
    Record<
      string,
      {
        readonly insecure?: boolean
        readonly ca?: string
        readonly cert?: string
        readonly key?: string
        readonly auth?: string
      }
    >
  >
  /** Hosts with an address in one of these need no certificate: "10.0.0.0/8". */
  readonly insecureBlocks?: readonly string[]
}
