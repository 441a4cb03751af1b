// The event of a reload: dockerd's attributes, with the values that hold now.
import { hostname } from "node:os"
import type { ContainerParts } from "./containers/parts.ts"
import { engineId } from "./engine-id.ts"

export function emitReload({ config, events }: Pick<ContainerParts, "config" | "events">): void {
  const { registries } = config
  const insecure = Object.entries(registries.hosts ?? {}).flatMap(([host, { insecure }]) =>
    insecure === true ? host : [],
  )
  const mirrors = registries.prefixes?.["docker.io"]?.mirrors ?? []
  events.emit("daemon", "reload", engineId(), {
    debug: String(config.logLevel === "debug"),
    "default-cgroupns-mode": config.defaultCgroupnsMode ?? "",
    "default-ipc-mode": config.defaultIpcMode,
    "default-runtime": config.defaultRuntime,
    "default-shm-size": String(config.defaultShmSize),
    features: "map[]",
    "insecure-registries": JSON.stringify([...insecure, ...(registries.insecureBlocks ?? [])]),
    labels: JSON.stringify(config.labels),
    "live-restore": "true",
    "max-concurrent-downloads": String(config.maxConcurrentDownloads),
    "max-concurrent-uploads": String(config.maxConcurrentUploads),
    name: hostname(),
    "registry-mirrors": JSON.stringify(mirrors),
    runtimes: Object.entries(config.runtimes)
      .map(([name, { path }]) => `${name}:${path}`)
      .join(" "),
    "shutdown-timeout": "0",
  })
}
