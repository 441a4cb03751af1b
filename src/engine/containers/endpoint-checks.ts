// What may be asked of a container's place on a network, with Docker's words; and the sysctls among it. Pure.
import { DhowError } from "../../lib/errors.ts"
import { parseIp } from "../../lib/ip-address.ts"
import type { EndpointSettings } from "../../wire/container.ts"

/** Networks that every engine has: addresses and names on them are not the user's to choose. */
const PREDEFINED = new Set(["default", "bridge", "host", "none"])
const SYSCTLS = "com.docker.network.endpoint.sysctls"

export function checkEndpoint(network: string, settings: EndpointSettings): void {
  const invalid = (message: string): DhowError =>
    new DhowError("invalid", `invalid config for network ${network}: ${message}`)
  const faults: string[] = []
  const { IPv4Address, IPv6Address } = settings.IPAMConfig ?? {}
  if (PREDEFINED.has(network)) {
    if (IPv4Address || IPv6Address) faults.push("user specified IP address is supported on user defined networks only")
    if (settings.Aliases?.length)
      faults.push("network-scoped alias is supported only for containers in user defined networks")
  }
  for (const address of settings.IPAMConfig?.LinkLocalIPs ?? [])
    if (parseIp(address) === undefined) faults.push(`invalid link-local IP address: ${address}`)
  if (IPv4Address && parseIp(IPv4Address)?.family !== 4) faults.push(`invalid IPv4 address: ${IPv4Address}`)
  if (IPv6Address && parseIp(IPv6Address)?.family !== 6) faults.push(`invalid IPv6 address: ${IPv6Address}`)
  const mac = settings.MacAddress
  if (mac && !/^[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}$/i.test(mac)) throw invalid(`invalid MAC address ${mac}`)
  for (const sysctl of sysctlsOf(settings)) {
    if (/^net\.(?:ipv4|ipv6|mpls)\.[^.=/]+\.(?:IFNAME|ifname)\.[^=/]+=/.test(sysctl)) continue
    faults.push(
      `unrecognised network interface sysctl '${sysctl}'; represent 'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'`,
    )
  }
  if (faults.length > 0) {
    const text = faults.length === 1 ? faults[0] : faults.map((fault) => `* ${fault}`).join("\n")
    throw invalid(`invalid endpoint settings:\n${text}`)
  }
  if (PREDEFINED.has(network) && settings.Links?.length) throw unavailable(network, "links")
}

/** The sysctls of all interfaces, with the names that these get: eth0 for the first. */
export function endpointSysctls(endpoints: Iterable<EndpointSettings>): Record<string, string> {
  const found: Record<string, string> = {}
  let place = 0
  for (const settings of endpoints) {
    for (const sysctl of sysctlsOf(settings)) {
      const equals = sysctl.indexOf("=")
      found[sysctl.slice(0, equals).replace(/\.(?:IFNAME|ifname)\./, `.eth${place}.`)] = sysctl.slice(equals + 1)
    }
    place++
  }
  return found
}

function sysctlsOf({ DriverOpts: options }: EndpointSettings): readonly string[] {
  const text = options?.[SYSCTLS]
  return text ? text.split(",") : []
}

function unavailable(network: string, what: string): DhowError {
  return new DhowError(
    "not-implemented",
    `invalid config for network ${network}: ${what}: not available in this version`,
  )
}
