// What only a create is checked for, before anything is made: settings that exclude one another, names and addresses that
// can be nothing, options that the start would stumble over. With Docker's words. Pure.
import { posix } from "node:path"
import { DhowError } from "../../lib/errors.ts"
import { parseExtraHost } from "../../network/files.ts"
import { checkBindings } from "../../network/ports.ts"
import { checkDeviceRules } from "../../runtime/devices.ts"
import { tmpfsMount } from "../../runtime/mounts.ts"
import type { ContainerConfig, HostConfig, NetworkingConfig } from "../../wire/container.ts"
import { checkEndpoint } from "./endpoint-checks.ts"
import { hostNetworkConflict } from "./links.ts"
import { refuseProc } from "./mount-specs.ts"
import { checkNetRate } from "./net-rate.ts"

export function checkCreate(config: ContainerConfig, hostConfig: HostConfig, networking: NetworkingConfig): void {
  checkNames(config, hostConfig)
  if (hostConfig.NetworkMode === "container" || hostConfig.NetworkMode?.startsWith("container:"))
    checkSharedNetwork(config, hostConfig)
  for (const entry of config.Env ?? [])
    if (entry === "" || entry.startsWith("=")) throw invalid(`invalid environment variable: ${entry}`)
  for (const entry of hostConfig.ExtraHosts ?? []) parseExtraHost(entry, "0.0.0.0")
  for (const address of hostConfig.Dns ?? []) checkNameServer(address)
  checkBindings(Object.keys(config.ExposedPorts ?? {}), hostConfig.PortBindings ?? {})
  checkDeviceRules(hostConfig)
  checkTmpfs(hostConfig)
  checkNetRate(config, hostConfig)
  for (const [name, settings] of Object.entries(networking.EndpointsConfig ?? {})) checkEndpoint(name, settings ?? {})
  checkUnsupported(hostConfig)
}

function checkNames(config: ContainerConfig, { UTSMode: uts }: HostConfig): void {
  if (uts === "host" && config.Hostname) throw invalid("conflicting options: hostname and the UTS mode")
  if (uts === "host" && config.Domainname) throw invalid("conflicting options: domainname and the UTS mode")
  // The kernel's own bound, which the runtime would report without a name.
  for (const [what, name] of Object.entries({ hostname: config.Hostname, domainname: config.Domainname }))
    if (Buffer.byteLength(name ?? "") > 64) throw invalid(`invalid ${what}: "${name}" is longer than 64 bytes`)
}

function checkSharedNetwork(config: ContainerConfig, hostConfig: HostConfig): void {
  const conflict = (what: string): DhowError => invalid(`conflicting options: ${what}`)
  if (!/^container:./.test(hostConfig.NetworkMode ?? ""))
    throw invalid("invalid network mode: invalid container format container:<name|id>")
  if (config.Hostname) throw conflict("hostname and the network mode")
  if (hostConfig.Links?.length)
    throw conflict("container type network can't be used with links. This would result in undefined behavior")
  if (hostConfig.Dns?.length) throw conflict("dns and the network mode")
  if (hostConfig.ExtraHosts?.length) throw conflict("custom host-to-IP mapping and the network mode")
  if (Object.keys(hostConfig.PortBindings ?? {}).length > 0 || hostConfig.PublishAllPorts)
    throw conflict("port publishing and the container type network mode")
  if (Object.keys(config.ExposedPorts ?? {}).length > 0)
    throw conflict("port exposing and the container type network mode")
}

function checkNameServer(address: string): void {
  if (!/^[0-9a-f:.]+(?:%.+)?$/i.test(address)) throw invalid(`bad nameserver address ${address}`)
}

function checkTmpfs({ Tmpfs: tmpfs }: HostConfig): void {
  for (const [destination, options] of Object.entries(tmpfs ?? {})) {
    if (!destination.startsWith("/")) throw invalid(`invalid mount path: '${destination}' mount path must be absolute`)
    if (/^\/+(?:\.\/*)*$/.test(destination)) throw invalid("invalid specification: destination can't be '/'")
    if (posix.normalize(destination).replace(/\/$/, "") === "/proc")
      throw invalid('"/proc" cannot be mounted because it is not of type proc')
    refuseProc(destination)
    tmpfsMount(destination, options)
  }
}

/** Refused, rather than passed over. */
function checkUnsupported(hostConfig: HostConfig): void {
  if (hostConfig.NetworkMode === "host" && hostConfig.Links?.length) throw hostNetworkConflict()
  const [option] = Object.keys(hostConfig.StorageOpt ?? {})
  if (option !== undefined)
    throw option === "size"
      ? invalid("--storage-opt is supported only for overlay over xfs with 'pquota' mount option", {
          hint: "Limit what a container writes with a volume, or a tmpfs of a size",
        })
      : invalid(`unknown option ${option}`)
  if (hostConfig.Cgroup)
    throw invalid(`invalid cgroup mode: ${hostConfig.Cgroup}`, { hint: "CgroupParent names a cgroup" })
}

function invalid(message: string, options: { readonly hint?: string } = {}): DhowError {
  return new DhowError("invalid", message, options)
}
