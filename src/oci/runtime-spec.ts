// The OCI runtime specification's config.json (runtime-spec 1.1), as far as it is used. Types only.

export type RuntimeSpec = {
  readonly ociVersion: string
  readonly process: RuntimeProcess
  readonly root: { readonly path: string; readonly readonly: boolean }
  readonly hostname?: string
  readonly mounts: readonly RuntimeMount[]
  readonly hooks?: Readonly<Record<string, readonly RuntimeHook[]>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly linux: RuntimeLinux
}

export type RuntimeHook = {
  readonly path: string
  readonly args?: readonly string[]
  readonly env?: readonly string[]
  readonly timeout?: number
}

/** `process` of config.json, and the whole of the file that `exec --process` reads. */
export type RuntimeProcess = {
  readonly terminal: boolean
  readonly consoleSize?: { readonly height: number; readonly width: number }
  readonly user: {
    readonly uid: number
    readonly gid: number
    readonly umask?: number
    readonly additionalGids?: readonly number[]
  }
  readonly args: readonly string[]
  readonly env: readonly string[]
  readonly cwd: string
  readonly capabilities: RuntimeCapabilities
  readonly rlimits?: readonly RuntimeRlimit[]
  readonly noNewPrivileges: boolean
  readonly oomScoreAdj?: number
  readonly apparmorProfile?: string
  readonly selinuxLabel?: string
}

export type RuntimeCapabilities = {
  readonly bounding: readonly string[]
  readonly effective: readonly string[]
  readonly permitted: readonly string[]
  readonly inheritable?: readonly string[]
  readonly ambient?: readonly string[]
}

export type RuntimeRlimit = { readonly type: string; readonly soft: number; readonly hard: number }

export type RuntimeMount = {
  readonly destination: string
  readonly type: string
  readonly source: string
  readonly options: readonly string[]
}

export type NamespaceType = "pid" | "network" | "mount" | "ipc" | "uts" | "user" | "cgroup"
export type RuntimeNamespace = { readonly type: NamespaceType; readonly path?: string }
export type IdMapping = { readonly containerID: number; readonly hostID: number; readonly size: number }

export type RuntimeDevice = {
  readonly path: string
  readonly type: "c" | "b" | "u" | "p"
  readonly major: number
  readonly minor: number
  readonly fileMode?: number
  readonly uid?: number
  readonly gid?: number
}

/** Without type, every device; without major or minor, every number. */
export type DeviceRule = {
  readonly allow: boolean
  readonly type?: "a" | "b" | "c"
  readonly major?: number
  readonly minor?: number
  readonly access: string
}

export type RuntimeLinux = {
  readonly uidMappings?: readonly IdMapping[]
  readonly gidMappings?: readonly IdMapping[]
  readonly sysctl?: Readonly<Record<string, string>>
  readonly resources: RuntimeResources
  readonly cgroupsPath: string
  readonly namespaces: readonly RuntimeNamespace[]
  readonly devices: readonly RuntimeDevice[]
  readonly rootfsPropagation?: string
  readonly maskedPaths: readonly string[]
  readonly readonlyPaths: readonly string[]
  readonly mountLabel?: string
  readonly seccomp?: RuntimeSeccomp
}

export type ThrottleLimit = { readonly major: number; readonly minor: number; readonly rate: number }
export type WeightLimit = { readonly major: number; readonly minor: number; readonly weight: number }

/** `linux.resources`, and the whole of the file that `update --resources` reads. */
export type RuntimeResources = {
  readonly devices?: readonly DeviceRule[]
  readonly memory?: {
    readonly limit?: number
    readonly reservation?: number
    readonly swap?: number
    readonly swappiness?: number
    readonly disableOOMKiller?: boolean
  }
  readonly cpu?: {
    readonly shares?: number
    readonly quota?: number
    readonly period?: number
    readonly realtimeRuntime?: number
    readonly realtimePeriod?: number
    readonly cpus?: string
    readonly mems?: string
  }
  readonly pids?: { readonly limit: number }
  readonly blockIO?: {
    readonly weight?: number
    readonly weightDevice?: readonly WeightLimit[]
    readonly throttleReadBpsDevice?: readonly ThrottleLimit[]
    readonly throttleWriteBpsDevice?: readonly ThrottleLimit[]
    readonly throttleReadIOPSDevice?: readonly ThrottleLimit[]
    readonly throttleWriteIOPSDevice?: readonly ThrottleLimit[]
  }
  readonly hugepageLimits?: readonly { readonly pageSize: string; readonly limit: number }[]
  readonly unified?: Readonly<Record<string, string>>
}

export type SeccompArgument = {
  readonly index: number
  readonly value: number
  readonly valueTwo?: number
  readonly op: string
}
export type SeccompRule = {
  readonly names: readonly string[]
  readonly action: string
  readonly errnoRet?: number
  readonly args?: readonly SeccompArgument[]
}
export type RuntimeSeccomp = {
  readonly defaultAction: string
  readonly defaultErrnoRet?: number
  readonly architectures?: readonly string[]
  readonly flags?: readonly string[]
  readonly listenerPath?: string
  readonly listenerMetadata?: string
  readonly syscalls?: readonly SeccompRule[]
}
