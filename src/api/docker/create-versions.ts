// What a create request means in each API version: fields that an older version did not have are ignored, defaults that
// changed are the ones of the client's version.
import { DhowError } from "../../lib/errors.ts"
import type { ContainerConfig, EndpointSettings, HostConfig, Mount } from "../../wire/container.ts"
import { moveInterfaceSysctls } from "./create-sysctls.ts"

type Create = {
  readonly config: ContainerConfig
  readonly hostConfig: HostConfig
  readonly endpoints: Readonly<Record<string, EndpointSettings>>
}

const invalid = (message: string): DhowError => new DhowError("invalid", message)

export function adaptCreate(create: Create, api: number): Create & { readonly warnings: readonly string[] } {
  const warnings: string[] = []
  const config = { ...create.config }
  const hostConfig = { ...create.hostConfig }
  let endpoints: Record<string, EndpointSettings> = { ...create.endpoints }

  // "default" is how clients name the default network of whatever system they speak to.
  if (hostConfig.NetworkMode === undefined || hostConfig.NetworkMode === "" || hostConfig.NetworkMode === "default") {
    hostConfig.NetworkMode = "bridge"
    const { default: settings, ...others } = endpoints
    if (settings !== undefined) endpoints = { ...others, bridge: settings }
  }
  if (hostConfig.PidsLimit !== undefined && (hostConfig.PidsLimit ?? 0) <= 0) delete hostConfig.PidsLimit
  if (api < 25) delete hostConfig.AutoRemove
  if (api < 40 && !hostConfig.IpcMode) hostConfig.IpcMode = "shareable"
  if (api < 42) delete hostConfig.ConsoleSize
  if (api < 43) delete hostConfig.Annotations
  if (api < 44) {
    const names = Object.keys(endpoints)
    if (names.length > 1)
      throw invalid(`Container cannot be created with multiple network endpoints: ${names.join(", ")}`)
    if (config.Healthcheck) {
      const { StartInterval: _since44, ...healthcheck } = config.Healthcheck
      config.Healthcheck = healthcheck
    }
  }
  if (api < 48)
    endpoints = Object.fromEntries(
      Object.entries(endpoints).map(([name, { GwPriority: _since48, ...settings }]) => [name, settings]),
    )
  if (hostConfig.Mounts) hostConfig.Mounts = hostConfig.Mounts.map((mount) => adaptMount(mount, api))
  if (api >= 48 && hostConfig.VolumeDriver && hostConfig.Mounts?.some(isVolumeWithoutDriver))
    warnings.push(
      "WARNING: the container-wide volume-driver configuration is ignored for volumes specified via 'mount'. Use '--mount type=volume,volume-driver=...' instead",
    )
  const empty = Object.entries(hostConfig.PortBindings ?? {}).filter(([, bindings]) => (bindings ?? []).length === 0)
  if (api >= 52 && empty.length > 0)
    warnings.push(
      `Following container port(s) have an empty list of port-bindings: ${empty.map(([port]) => port).join(", ")}. Such bindings will be discarded in a future version.`,
    )
  endpoints = adaptMacAddress({ config, hostConfig, endpoints }, { api, warnings })
  if (hostConfig.Sysctls) {
    const given = { sysctls: hostConfig.Sysctls, networkMode: hostConfig.NetworkMode, endpoints }
    const moved = moveInterfaceSysctls(given, api)
    hostConfig.Sysctls = moved.sysctls
    endpoints = moved.endpoints
    if (moved.warning !== undefined) warnings.push(moved.warning)
  }
  return { config, hostConfig, endpoints, warnings }
}

function adaptMount(mount: Mount, api: number): Mount {
  const { BindOptions, VolumeOptions, TmpfsOptions, ...adapted } = mount
  const misplaced =
    (VolumeOptions && mount.Type !== "volume" && "VolumeOptions") ||
    (BindOptions && mount.Type !== "bind" && "BindOptions") ||
    (TmpfsOptions && mount.Type !== "tmpfs" && "TmpfsOptions")
  if (misplaced && api >= 42) throw invalid(`${misplaced} must not be specified on mount type "${mount.Type}"`)
  if (api < 44 && BindOptions?.ReadOnlyForceRecursive)
    throw invalid("BindOptions.ReadOnlyForceRecursive needs API v1.44 or newer")
  if (api < 45 && VolumeOptions?.Subpath) throw invalid("VolumeOptions.Subpath needs API v1.45 or newer")
  if (api < 48 && mount.Type === "image") throw invalid('Mount type "Image" needs API v1.48 or newer')
  const bind = { ...BindOptions }
  if (api < 40) delete bind.NonRecursive
  if (api < 42) delete bind.CreateMountpoint
  // Before 1.44 every read-only mount was so on its top level only.
  if (api < 44 && mount.ReadOnly) bind.ReadOnlyNonRecursive = true
  return {
    ...adapted,
    ...(mount.Type === "bind" && Object.keys(bind).length > 0 ? { BindOptions: bind } : {}),
    ...(mount.Type === "volume" && VolumeOptions ? { VolumeOptions } : {}),
    ...(mount.Type === "tmpfs" && TmpfsOptions ? { TmpfsOptions } : {}),
  }
}

function isVolumeWithoutDriver(mount: Mount): boolean {
  return mount.Type === "volume" && !mount.VolumeOptions?.DriverConfig?.Name
}

/** Since 1.44 a MAC address belongs to an endpoint; the container-wide field is moved there. */
function adaptMacAddress(
  { config, hostConfig, endpoints }: Create,
  { api, warnings }: { api: number; warnings: string[] },
): Record<string, EndpointSettings> {
  const address = config.MacAddress
  if (address && api >= 52)
    throw invalid("container-wide MAC address no longer supported; use endpoint-specific MAC address instead")
  if (!address) {
    if (api >= 44) return endpoints
    return Object.fromEntries(
      Object.entries(endpoints).map(([name, { MacAddress: _since44, ...settings }]) => [name, settings]),
    )
  }
  const network = hostConfig.NetworkMode ?? "bridge"
  const hasNetwork = network !== "host" && network !== "none" && !network.startsWith("container:")
  if (!hasNetwork && api < 44) throw invalid("conflicting options: mac-address and the network mode")
  if (api >= 44) {
    warnings.push(
      "The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead.",
    )
    delete config.MacAddress
  }
  if (!hasNetwork) return endpoints
  const known = Object.keys(endpoints)
  const target = known.length === 0 ? network : api < 44 ? known[0]! : network
  const settings = known.length === 0 ? {} : endpoints[target]
  if (settings === undefined)
    throw invalid("HostConfig.NetworkMode must match the identity of a network in NetworkSettings.Networks")
  if (api >= 44 && settings.MacAddress && settings.MacAddress !== address)
    throw invalid(
      "the container-wide MAC address must match the endpoint-specific MAC address for the main network, or be left empty",
    )
  return { ...endpoints, [target]: { ...settings, MacAddress: address } }
}
