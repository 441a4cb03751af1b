// Sysctls of single interfaces in a create request. An interface has no sure name before it is made, so that newer clients
// give these with the endpoint, as "IFNAME"; what older ones give for eth0 is moved there.
import { DhowError } from "../../lib/errors.ts"
import type { EndpointSettings } from "../../wire/container.ts"

export const ENDPOINT_SYSCTLS = "com.docker.network.endpoint.sysctls"
const OF_INTERFACE = /^net\.([^.]+)\.([^.]+)\.(eth[^.]*)\.(.+)$/

type Given = {
  readonly sysctls: Readonly<Record<string, string>>
  readonly networkMode: string
  readonly endpoints: Readonly<Record<string, EndpointSettings>>
}

export type Moved = {
  readonly sysctls: Record<string, string>
  readonly endpoints: Record<string, EndpointSettings>
  readonly warning?: string
}

export function moveInterfaceSysctls({ sysctls, networkMode, endpoints }: Given, api: number): Moved {
  const moved: [string, string][] = []
  const kept: Record<string, string> = {}
  const isPrivate = networkMode !== "host" && !networkMode.startsWith("container:")
  for (const [name, value] of Object.entries(sysctls)) {
    const [, family, kind, device, setting] = OF_INTERFACE.exec(name) ?? []
    if (!isPrivate || device === undefined) {
      kept[name] = value
      continue
    }
    if (api > 47)
      throw new DhowError(
        "invalid",
        `interface specific sysctl setting "${name}" must be supplied using driver option '${ENDPOINT_SYSCTLS}'`,
      )
    if (device !== "eth0")
      throw new DhowError(
        "invalid",
        `unable to determine network endpoint for sysctl ${name}, use driver option '${ENDPOINT_SYSCTLS}' to set per-interface sysctls`,
      )
    moved.push([name, `net.${family}.${kind}.IFNAME.${setting}=${value}`])
  }
  if (moved.length === 0) return { sysctls: { ...sysctls }, endpoints: { ...endpoints } }
  const [name, settings] = endpointOf(networkMode, endpoints, api)
  const option = moved.map(([, setting]) => setting).join(",")
  const before = settings.DriverOpts?.[ENDPOINT_SYSCTLS]
  const DriverOpts = {
    ...settings.DriverOpts,
    [ENDPOINT_SYSCTLS]: before === undefined ? option : `${option},${before}`,
  }
  return {
    sysctls: kept,
    endpoints: { ...endpoints, [name]: { ...settings, DriverOpts } },
    warning: `Migrated sysctl ${JSON.stringify(moved.map(([from]) => from).join(","))} to DriverOpts{${JSON.stringify(ENDPOINT_SYSCTLS)}:${JSON.stringify(option)}}.`,
  }
}

function endpointOf(
  networkMode: string,
  endpoints: Readonly<Record<string, EndpointSettings>>,
  api: number,
): readonly [string, EndpointSettings] {
  const [first] = Object.keys(endpoints)
  const name = first !== undefined && api < 44 ? first : networkMode
  const settings = first === undefined ? {} : endpoints[name]
  if (settings !== undefined) return [name, settings]
  throw new DhowError(
    "invalid",
    "HostConfig.NetworkMode must match the identity of a network in NetworkSettings.Networks",
  )
}
