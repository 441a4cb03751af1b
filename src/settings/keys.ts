// The keys of the configuration, as data: what a file may say of each, its flag, its default, and when a change of it takes
// effect. The names are dockerd's wherever dockerd has the same thing.
import type * as v from "valibot"
import { registryShapes } from "./registries.ts"
import * as is from "./shapes.ts"

/**
 * `now`: with the reload. `containers`: for containers that are created or started from then on. `idle`: with the reload,
 * while no container is on the default bridge. `restart`: when the daemon is started again, which no container notices.
 * `move`: not while the daemon runs, for its files would have to move with it.
 */
export type Takes = "now" | "containers" | "idle" | "restart" | "move"

export type Key = {
  /** Of the value as a file writes it. */
  readonly shape: v.GenericSchema
  readonly takes: Takes
  /** Long name of the daemon's flag. */
  readonly flag?: string
  readonly environment?: string
  /** As a file would say it; undefined where the host or the rest of the configuration decides. */
  readonly fallback?: unknown
  readonly summary: string
}

const key = (takes: Takes, shape: v.GenericSchema, summary: string, more: Partial<Key> = {}): Key => ({
  ...{ takes, shape, summary },
  ...more,
})

export const KEYS: Readonly<Record<string, Key>> = {
  bip: key("idle", is.text, "Address and subnet of the default bridge", { flag: "bip" }),
  bridge: key("restart", is.bridgeName, "Interface of the default bridge", { flag: "bridge" }),
  "cdi-spec-dirs": key("containers", is.texts, "Directories with CDI specifications", {
    ...{ flag: "cdi-spec-dir", fallback: ["/etc/cdi", "/var/run/cdi"] },
  }),
  "cgroup-parent": key("containers", is.text, "Parent of the containers' cgroups", {
    ...{ flag: "cgroup-parent", fallback: "/dhow" },
  }),
  "data-root": key("move", is.text, "Where images and containers are kept", {
    ...{ flag: "data-root", environment: "DHOW_DATA_ROOT", fallback: "/var/lib/dhow" },
  }),
  debug: key("now", is.flag, "Log everything", { flag: "debug", fallback: false }),
  "default-address-pools": key("now", is.pools, "What networks get their subnets from", {
    flag: "default-address-pool",
  }),
  "default-cgroupns-mode": key("containers", is.one(["host", "private"]), "Cgroup namespace of containers", {
    flag: "default-cgroupns-mode",
  }),
  "default-ipc-mode": key("containers", is.one(["private", "shareable"]), "IPC namespace of containers", {
    ...{ flag: "default-ipc-mode", fallback: "private" },
  }),
  "default-network-opts": key("now", is.networkOptions, "Options of networks that say nothing else, by driver", {
    ...{ flag: "default-network-opt", fallback: {} },
  }),
  "default-runtime": key("containers", is.text, "OCI runtime of containers that name none", {
    ...{ flag: "default-runtime", fallback: "crun" },
  }),
  "default-shm-size": key("containers", is.size, "Size of /dev/shm of containers", {
    ...{ flag: "default-shm-size", fallback: "64m" },
  }),
  "default-ulimits": key("containers", is.ulimits, "Limits of containers' processes", {
    ...{ flag: "default-ulimit", fallback: {} },
  }),
  dns: key("containers", is.ipAddresses, "DNS servers of containers", { flag: "dns", fallback: [] }),
  "dns-opts": key("containers", is.texts, "DNS options of containers", { flag: "dns-opt", fallback: [] }),
  "dns-search": key("containers", is.texts, "DNS search domains of containers", { flag: "dns-search", fallback: [] }),
  "exec-root": key("move", is.text, "Where sockets and what runs are kept", {
    ...{ flag: "exec-root", environment: "DHOW_EXEC_ROOT", fallback: "/run/dhow" },
  }),
  gc: key("now", is.gc, "How the disk is kept from filling up with images"),
  group: key("now", is.text, "Group whose members may use the socket", { flag: "group" }),
  "host-gateway-ips": key("containers", is.ipAddresses, 'What "host-gateway" in --add-host stands for', {
    ...{ flag: "host-gateway-ip", fallback: [] },
  }),
  hosts: key("now", is.hosts, "Sockets to serve on", { flag: "host" }),
  init: key("containers", is.flag, "Give every container an init unless it says otherwise", {
    ...{ flag: "init", fallback: false },
  }),
  "init-path": key("containers", is.text, "Program of the init process", { flag: "init-path" }),
  ip: key("containers", is.ipv4Address, "Address that ports are published on which name none", {
    ...{ flag: "ip", fallback: "0.0.0.0" },
  }),
  "insecure-registries": key("now", is.texts, "Registries that need no certificate", {
    ...{ flag: "insecure-registry", fallback: [] },
  }),
  labels: key("now", is.labels, "Labels of the daemon", { flag: "label", fallback: [] }),
  "limit-rate": key("now", is.size, "Bytes per second of a pull or push that asks for nothing else", {
    ...{ flag: "limit-rate", fallback: 0 },
  }),
  "log-driver": key("containers", is.text, "Log driver of containers that name none", { flag: "log-driver" }),
  "log-level": key("now", is.one(["debug", "info", "warn", "error"]), "What the daemon logs", {
    ...{ flag: "log-level", fallback: "info" },
  }),
  "log-opts": key("containers", is.logOptions, "Options of containers' logs", { flag: "log-opt", fallback: {} }),
  "max-concurrent-downloads": key("now", is.whole(0, 1000), "Layers of an image fetched at once", {
    ...{ flag: "max-concurrent-downloads", fallback: 4 },
  }),
  "max-concurrent-uploads": key("now", is.whole(0, 1000), "Layers of an image sent at once", {
    ...{ flag: "max-concurrent-uploads", fallback: 5 },
  }),
  "network-pool": key("now", is.whole(0, 64), "Network namespaces to keep ready", {
    ...{ flag: "network-pool", fallback: 4 },
  }),
  "no-new-privileges": key("containers", is.flag, "No process of a container gains privileges", {
    ...{ flag: "no-new-privileges", fallback: false },
  }),
  pidfile: key("now", is.text, "File with the daemon's process id", { flag: "pidfile" }),
  "platform-compat": key("now", is.flag, "Requests for a platform also take what it can run (386 for amd64)", {
    ...{ flag: "platform-compat", fallback: false },
  }),
  proxies: key("now", is.proxies, "Proxies to registries", { fallback: {} }),
  registries: key("now", registryShapes.registries, "How registries are reached", { fallback: {} }),
  "registry-mirrors": key("now", is.texts, "Registries that are asked before Docker Hub", {
    ...{ flag: "registry-mirror", fallback: [] },
  }),
  runtimes: key("containers", is.runtimes, "Further OCI runtimes", { flag: "add-runtime", fallback: {} }),
  "seccomp-profile": key("containers", is.text, "Profile of containers: builtin, unconfined, or a file", {
    ...{ flag: "seccomp-profile", fallback: "builtin" },
  }),
  "storage-driver": key("restart", is.one(["directory", "erofs", "auto", "overlay2"]), "How new layers are kept", {
    ...{ flag: "storage-driver", environment: "DHOW_STORAGE_DRIVER", fallback: "auto" },
  }),
  "volume-mount-timeout": key("now", is.whole(1, 3600), "Seconds that mounting a volume may take", {
    ...{ flag: "volume-mount-timeout", fallback: 30 },
  }),
}

/** Where a key may be given in parts: a member of the file's object is joined with the flags' and the other file's. */
export const JOINED: ReadonlySet<string> = new Set([
  ...["runtimes", "log-opts", "default-ulimits", "proxies", "registries", "insecure-registries", "registry-mirrors"],
  ...["default-network-opts"],
])
