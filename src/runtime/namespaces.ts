// Which namespaces a container gets, and the sysctls that go with them.
import type { NamespaceType, RuntimeNamespace } from "../oci/runtime-spec.ts"
import type { HostFacts } from "./host-facts.ts"
import type { NamespaceChoice, SpecInput } from "./spec-input.ts"

export function containerNamespaces(input: SpecInput): RuntimeNamespace[] {
  const namespaces: RuntimeNamespace[] = [{ type: "mount" }]
  const add = (type: NamespaceType, choice: NamespaceChoice | undefined): void => {
    if (choice === undefined || choice === "host") return
    namespaces.push(choice === "private" ? { type } : { type, path: choice.path })
  }
  add("network", input.network)
  add("uts", input.uts)
  add("pid", input.pid)
  add("ipc", input.ipc)
  add("cgroup", input.cgroup)
  add("user", input.userns)
  return namespaces
}

/** What an empty CgroupnsMode means: with cgroup v2 a namespace of the container's own, before it the host's. */
export function defaultCgroupnsMode(host: Pick<HostFacts, "cgroup">): "private" | "host" {
  return host.cgroup.mode === "v2" ? "private" : "host"
}

/** Docker's defaults for a network of the container's own, the domain name, then what the user asks for. */
export function containerSysctls(input: SpecInput): Record<string, string> {
  const { config, hostConfig, host } = input
  const mode = hostConfig.NetworkMode ?? ""
  const ownNetwork = input.network !== "host" && !mode.startsWith("container:")
  const sysctls: Record<string, string> = {}
  if (ownNetwork) {
    // Ping without CAP_NET_RAW, and any port without CAP_NET_BIND_SERVICE.
    if (host.pingGroupRange && (input.userns ?? "host") === "host")
      sysctls["net.ipv4.ping_group_range"] = "0 2147483647"
    if (host.unprivilegedPortStart) sysctls["net.ipv4.ip_unprivileged_port_start"] = "0"
  }
  if (config.Domainname && input.uts === "private") sysctls["kernel.domainname"] = config.Domainname
  return { ...sysctls, ...hostConfig.Sysctls, ...input.interfaceSysctls }
}
