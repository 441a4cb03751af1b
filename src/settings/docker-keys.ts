// dockerd's keys that dhow has not, each with the reason, and whether what it says holds here anyway. In dhow's own file a
// wish that cannot be met is an error; in Docker's file, which is another program's, it is named and passed over.
import type { Json } from "../lib/json-places.ts"

type DockerKey = {
  readonly reason: string
  /** Values that ask for what dhow does anyway, or for nothing. */
  readonly holds?: (value: Json) => boolean
  /** True: what was asked for is a protection, or another way of working; without it dhow must not start by its own file. */
  readonly refused?: true
}

const is =
  (...values: readonly Json[]) =>
  (value: Json): boolean =>
    values.some((known) => JSON.stringify(known) === JSON.stringify(value))
const empty = is("", [], {}, false, 0)

const notYet = (what: string): string => `${what} is not available in this version`
const swarm: DockerKey = { reason: "there is no swarm", holds: empty }
const network = (what: string, holds: (value: Json) => boolean = empty): DockerKey => ({
  reason: notYet(what),
  holds,
  refused: true,
})
const tls: DockerKey = { reason: "the API is served on unix sockets only", holds: empty, refused: true }

export const DOCKER_KEYS: Readonly<Record<string, DockerKey>> = {
  "allow-direct-routing": network("direct routing to published ports"),
  "allow-nondistributable-artifacts": { reason: "layers that may not be distributed are never pushed", holds: empty },
  "api-cors-header": {
    reason: "Docker has removed it too; use a reverse proxy",
    holds: empty,
    refused: true,
  },
  "authorization-plugins": { reason: notYet("a plugin"), holds: empty, refused: true },
  bip6: network("IPv6 on the default bridge"),
  builder: { reason: notYet("the builder"), holds: empty },
  containerd: { reason: "there is no containerd: conmon and the OCI runtime are started directly", holds: empty },
  "containerd-namespace": { reason: "there is no containerd", holds: empty },
  "containerd-plugin-namespace": { reason: "there is no containerd", holds: empty },
  "cpu-rt-period": { reason: "real-time scheduling of groups is left to the host's administrator", holds: empty },
  "cpu-rt-runtime": { reason: "real-time scheduling of groups is left to the host's administrator", holds: empty },
  "cri-containerd": { reason: "there is no containerd", holds: empty },
  "default-gateway": network("another default gateway"),
  "default-gateway-v6": network("IPv6 on the default bridge"),
  "default-init": { reason: "use init-path", holds: empty },
  "deprecated-key-path": { reason: "Docker has removed it too" },
  "exec-opts": {
    reason: "cgroups are made by the OCI runtime itself (cgroupfs)",
    holds: is([], ["native.cgroupdriver=cgroupfs"]),
  },
  experimental: { reason: "nothing is called experimental here", holds: empty },
  features: {
    reason: "images of several platforms, and devices by CDI, are always on",
    holds: (value) =>
      typeof value === "object" &&
      value !== null &&
      Object.entries(value).every(([name, on]) => ["containerd-snapshotter", "cdi", "buildkit"].includes(name) && on),
  },
  "fixed-cidr": network("a part of the bridge's subnet"),
  "fixed-cidr-v6": network("IPv6 on the default bridge"),
  icc: network("keeping containers of the default bridge apart", is(true)),
  "ip-forward": network("leaving the host's forwarding as it is", is(true)),
  "ip-forward-no-drop": network("leaving the host's forwarding as it is"),
  "ip-masq": network("a default bridge without NAT", is(true)),
  ip6tables: { reason: "the default bridge has no IPv6", holds: is(true, false) },
  iptables: network("a default bridge without firewall rules", is(true)),
  ipv6: network("IPv6 on the default bridge"),
  "live-restore": { reason: "containers always outlive the daemon", holds: is(true) },
  "log-format": { reason: "the daemon logs JSON", holds: is("json", "") },
  "max-download-attempts": { reason: "a transfer is tried again for as long as it makes progress", holds: empty },
  "metrics-addr": { reason: notYet("the metrics address"), holds: empty },
  mtu: network("another MTU than the host's", is(0, 1500)),
  "network-control-plane-mtu": swarm,
  "network-diagnostic-port": swarm,
  "node-generic-resources": swarm,
  "raw-logs": { reason: "the daemon logs JSON, without colours", holds: is(true, false) },
  "resolv-conf": { reason: notYet("another resolv.conf"), holds: empty },
  restart: { reason: "Docker has removed it too", holds: is(true) },
  rootless: { reason: notYet("rootless mode"), holds: empty, refused: true },
  "selinux-enabled": { reason: notYet("SELinux for containers by default"), holds: empty, refused: true },
  "shutdown-timeout": { reason: "containers do not stop when the daemon does", holds: empty },
  "storage-opts": { reason: "the store has no options", holds: empty },
  "swarm-default-advertise-addr": swarm,
  "swarm-raft-election-tick": swarm,
  "swarm-raft-heartbeat-tick": swarm,
  tls,
  tlscacert: tls,
  tlscert: tls,
  tlskey: tls,
  tlsverify: tls,
  "userland-proxy": {
    reason: "connections from this host reach published ports without a proxy",
    holds: is(false, true),
  },
  "userland-proxy-path": { reason: "there is no proxy", holds: empty },
  "userns-remap": { reason: notYet("mapping users of all containers"), holds: empty, refused: true },
}

/** What Docker's file says of Docker's own places: two engines on one host must not share them. */
export const OWN_PLACES: ReadonlySet<string> = new Set([
  ...["data-root", "exec-root", "hosts", "group", "pidfile", "bridge", "bip", "cgroup-parent", "storage-driver"],
])

/** dockerd's older names. */
export const OLD_NAMES: Readonly<Record<string, string>> = {
  graph: "data-root",
  "host-gateway-ip": "host-gateway-ips",
}
