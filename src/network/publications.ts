// Which addresses on a network published ports lead to. Pure.
import { gatewaysOf } from "./endpoints.ts"
import type { Bindable } from "./ports.ts"
import type { Published } from "./publish.ts"
import type { Namespace, Network } from "./record.ts"

/** On one network: a container's ports lead to its addresses on the networks by which it is left. */
export function publicationsOn(network: string, { owner, record }: Namespace): Published[] {
  if (owner === null || record.ports.length === 0) return []
  const gateways = gatewaysOf(record)
  const settings = record.endpoints.find((endpoint) => endpoint.network === network)?.settings
  const addresses = [
    gateways[4] === network ? settings?.IPAddress : "",
    gateways[6] === network ? settings?.GlobalIPv6Address : "",
  ]
  return addresses.flatMap((address) => (address ? [{ address, ports: record.ports }] : []))
}

const DEFAULT_BRIDGE = "com.docker.network.bridge.default_bridge"
const HOST_BINDING = "com.docker.network.bridge.host_binding_ipv4"

/** Where the ports of a container are published that leaves by these networks, by family. */
export function bindableOn(
  four: Network | undefined,
  six: Network | undefined,
  { publishAddress = "" }: { readonly publishAddress?: string },
): Bindable {
  const options = four?.record.options ?? {}
  // The default bridge has the configuration's; a network may have been made with its own.
  const own = options[DEFAULT_BRIDGE] === "true" ? undefined : options[HOST_BINDING]
  const usual = own ?? publishAddress
  return {
    ...(four === undefined ? {} : { 4: usual === "0.0.0.0" ? "" : usual }),
    ...(six === undefined ? {} : { 6: "::" }),
  }
}
