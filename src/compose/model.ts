// The project as the canonical form has it: what the schema made of the files, with names, defaults and the environment
// filled in.

export type Dependency = {
  readonly condition: "service_started" | "service_healthy" | "service_completed_successfully"
  readonly restart?: boolean
  readonly required: boolean
}

export type ServicePort = {
  readonly name?: string
  readonly mode?: string
  readonly host_ip?: string
  readonly target: number
  readonly published?: string
  readonly protocol: string
}

export type ServiceMount = {
  readonly type: "bind" | "volume" | "tmpfs" | "cluster" | "npipe" | "image"
  readonly source?: string
  readonly target: string
  readonly read_only?: boolean
  readonly consistency?: string
  readonly bind?: {
    readonly selinux?: string
    readonly propagation?: string
    readonly create_host_path?: boolean
    readonly recursive?: "enabled" | "disabled" | "writable" | "readonly"
  }
  readonly volume?: { readonly labels?: Labels; readonly nocopy?: boolean; readonly subpath?: string }
  readonly tmpfs?: { readonly size?: string; readonly mode?: number }
  readonly image?: { readonly subpath?: string }
}

export type Labels = Readonly<Record<string, string>>

export type FileMount = {
  readonly source: string
  readonly target?: string
  readonly uid?: string
  readonly gid?: string
  readonly mode?: string
}

export type ServiceNetwork = {
  readonly aliases?: readonly string[]
  readonly driver_opts?: Labels
  readonly gw_priority?: number
  readonly interface_name?: string
  readonly ipv4_address?: string
  readonly ipv6_address?: string
  readonly link_local_ips?: readonly string[]
  readonly mac_address?: string
  readonly priority?: number
}

export type Healthcheck = {
  readonly test?: readonly string[]
  readonly timeout?: string
  readonly interval?: string
  readonly retries?: number
  readonly start_period?: string
  readonly start_interval?: string
  readonly disable?: boolean
}

export type DeviceRequest = {
  readonly capabilities?: readonly string[]
  readonly driver?: string
  readonly count?: number
  readonly device_ids?: readonly string[]
  readonly options?: Labels
}

type Amount = { readonly cpus?: number; readonly memory?: string; readonly pids?: number }

export type Deploy = {
  readonly mode?: string
  readonly replicas?: number
  readonly labels?: Labels
  readonly update_config?: { readonly order?: "start-first" | "stop-first"; readonly parallelism?: number }
  readonly resources?: {
    readonly limits?: Amount
    readonly reservations?: Amount & { readonly devices?: readonly DeviceRequest[] }
  }
  readonly restart_policy?: { readonly condition?: string; readonly max_attempts?: number }
}

export type Hook = {
  readonly command?: readonly string[]
  readonly user?: string
  readonly privileged?: boolean
  readonly working_dir?: string
  readonly environment?: Readonly<Record<string, string | null>>
}

type Rate = { readonly path: string; readonly rate: string }

export type Service = {
  readonly name: string
  readonly profiles?: readonly string[]
  readonly annotations?: Labels
  readonly attach?: boolean
  readonly build?: { readonly context?: string; readonly dockerfile?: string; readonly tags?: readonly string[] }
  readonly blkio_config?: {
    readonly weight?: number
    readonly weight_device?: readonly { readonly path: string; readonly weight: number }[]
    readonly device_read_bps?: readonly Rate[]
    readonly device_read_iops?: readonly Rate[]
    readonly device_write_bps?: readonly Rate[]
    readonly device_write_iops?: readonly Rate[]
  }
  readonly cap_add?: readonly string[]
  readonly cap_drop?: readonly string[]
  readonly cgroup_parent?: string
  readonly cgroup?: "host" | "private"
  readonly cpu_count?: number
  readonly cpu_percent?: number
  readonly cpu_period?: number
  readonly cpu_quota?: number
  readonly cpu_rt_period?: number
  readonly cpu_rt_runtime?: number
  readonly cpus?: number
  readonly cpuset?: string
  readonly cpu_shares?: number
  readonly command?: readonly string[]
  readonly configs?: readonly FileMount[]
  readonly container_name?: string
  readonly credential_spec?: unknown
  readonly depends_on?: Readonly<Record<string, Dependency>>
  readonly deploy?: Deploy
  readonly device_cgroup_rules?: readonly string[]
  readonly devices?: readonly { readonly source: string; readonly target: string; readonly permissions: string }[]
  readonly dns?: readonly string[]
  readonly dns_opt?: readonly string[]
  readonly dns_search?: readonly string[]
  readonly domainname?: string
  readonly entrypoint?: readonly string[]
  readonly provider?: unknown
  readonly environment?: Readonly<Record<string, string | null>>
  readonly env_file?: readonly { readonly path: string; readonly required: boolean; readonly format?: string }[]
  readonly expose?: readonly string[]
  readonly external_links?: readonly string[]
  readonly extra_hosts?: readonly string[]
  readonly group_add?: readonly string[]
  readonly gpus?: readonly DeviceRequest[]
  readonly hostname?: string
  readonly healthcheck?: Healthcheck
  readonly image?: string
  readonly init?: boolean
  readonly ipc?: string
  readonly isolation?: string
  readonly labels?: Labels
  readonly label_file?: readonly string[]
  readonly links?: readonly string[]
  readonly logging?: { readonly driver?: string; readonly options?: Labels }
  readonly mem_limit?: string
  readonly mem_reservation?: string
  readonly memswap_limit?: string
  readonly mem_swappiness?: string
  readonly mac_address?: string
  readonly models?: unknown
  readonly network_mode?: string
  readonly networks?: Readonly<Record<string, ServiceNetwork | null>>
  readonly oom_kill_disable?: boolean
  readonly oom_score_adj?: number
  readonly pid?: string
  readonly pids_limit?: number
  readonly platform?: string
  readonly ports?: readonly ServicePort[]
  readonly privileged?: boolean
  readonly pull_policy?: string
  readonly read_only?: boolean
  readonly restart?: string
  readonly runtime?: string
  readonly scale?: number
  readonly secrets?: readonly FileMount[]
  readonly security_opt?: readonly string[]
  readonly shm_size?: string
  readonly stdin_open?: boolean
  readonly stop_grace_period?: string
  readonly stop_signal?: string
  readonly storage_opt?: Labels
  readonly sysctls?: Labels
  readonly tmpfs?: readonly string[]
  readonly tty?: boolean
  readonly ulimits?: Readonly<Record<string, number | { readonly soft: number; readonly hard: number }>>
  readonly use_api_socket?: boolean
  readonly user?: string
  readonly userns_mode?: string
  readonly uts?: string
  readonly volumes?: readonly ServiceMount[]
  readonly volumes_from?: readonly string[]
  readonly working_dir?: string
  readonly post_start?: readonly Hook[]
  readonly pre_stop?: readonly Hook[]
}

export type ProjectNetwork = {
  readonly name: string
  readonly driver?: string
  readonly driver_opts?: Labels
  readonly ipam?: {
    readonly driver?: string
    readonly config?: readonly {
      readonly subnet?: string
      readonly gateway?: string
      readonly ip_range?: string
      readonly aux_addresses?: Labels
    }[]
    readonly options?: Labels
  }
  readonly external?: boolean
  readonly internal?: boolean
  readonly attachable?: boolean
  readonly labels?: Labels
  readonly enable_ipv4?: boolean
  readonly enable_ipv6?: boolean
}

export type ProjectVolume = {
  readonly name: string
  readonly driver?: string
  readonly driver_opts?: Labels
  readonly external?: boolean
  readonly labels?: Labels
}

export type ProjectFile = {
  readonly name: string
  readonly file?: string
  readonly environment?: string
  readonly content?: string
  readonly external?: boolean
  readonly driver?: string
  readonly template_driver?: string
}

export type Named<T> = Readonly<Record<string, T>>

export type Project = {
  readonly name: string
  readonly services: Named<Service>
  readonly networks: Named<ProjectNetwork>
  readonly volumes: Named<ProjectVolume>
  readonly secrets: Named<ProjectFile>
  readonly configs: Named<ProjectFile>
  readonly models: Named<unknown>
  /** x- fields beside the services. */
  readonly extensions: Named<unknown>
  /** Services that no enabled profile has. */
  readonly disabled: Named<Service>
  readonly directory: string
  readonly files: readonly string[]
  readonly environment: ReadonlyMap<string, string>
}

export function replicasOf(service: Service): number {
  return service.scale ?? service.deploy?.replicas ?? 1
}

export function imageOf(project: { readonly name: string }, service: Service): string {
  return service.image ?? `${project.name}-${service.name}`
}
