// Where a container's files are. Under the data root: what survives a reboot. Under the exec root: what belongs to one
// run of it.
import { join } from "node:path"
import type { Config } from "../../config.ts"
import type { ContainerRecord } from "./record.ts"

export type ContainerPaths = {
  /** hosts, hostname, resolv.conf, log */
  readonly state: string
  readonly hosts: string
  readonly hostname: string
  readonly resolvConf: string
  readonly log: string
  /** As Docker's json-file driver names it. */
  readonly jsonLog: string
  /** config.json, conmon's files, the mounted root */
  readonly bundle: string
  readonly rootfs: string
  readonly shm: string
  /** Where images are mounted that the container mounts. */
  readonly images: string
  /** Where mounts with a map of ids are while the runtime takes them over. */
  readonly mapped: string
}

export function containerPaths(config: Pick<Config, "dataRoot" | "execRoot">, id: string): ContainerPaths {
  const state = join(config.dataRoot, "containers", id)
  const bundle = join(config.execRoot, "containers", id)
  return {
    state,
    hosts: join(state, "hosts"),
    hostname: join(state, "hostname"),
    resolvConf: join(state, "resolv.conf"),
    log: join(state, "container.log"),
    jsonLog: join(state, `${id}-json.log`),
    bundle,
    rootfs: join(bundle, "rootfs"),
    shm: join(bundle, "shm"),
    images: join(bundle, "images"),
    mapped: join(bundle, "mapped"),
  }
}

/** In every hierarchy, "/dhow/<id>" unless the user names another parent. The daemon's may have changed since the create. */
export function cgroupsPathOf(
  config: Pick<Config, "cgroupParent">,
  { id, hostConfig, cgroupParent }: Pick<ContainerRecord, "id" | "hostConfig" | "cgroupParent">,
): string {
  return join("/", hostConfig.CgroupParent || cgroupParent || config.cgroupParent, id)
}
