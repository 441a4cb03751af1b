// What inspect shows of containers and images to clients of each version: fields that came, and fields that newer versions
// leave out.
import type { ContainerInspect } from "../../wire/container.ts"
import type { ImageInspect } from "../../wire/image.ts"

/** What 1.52 took out of NetworkSettings: it is said for each network. */
const OLD_NETWORK_FIELDS = new Set([
  ...["Bridge", "HairpinMode", "LinkLocalIPv6Address", "LinkLocalIPv6PrefixLen", "SecondaryIPAddresses"],
  ...["SecondaryIPv6Addresses", "EndpointID", "Gateway", "GlobalIPv6Address", "GlobalIPv6PrefixLen", "IPAddress"],
  ...["IPPrefixLen", "IPv6Gateway", "MacAddress"],
])

export function containerAt({ ImageManifestDescriptor, ...container }: ContainerInspect, api: number): object {
  // The descriptor came with 1.48.
  const described = ImageManifestDescriptor === undefined || api < 48 ? {} : { ImageManifestDescriptor }
  if (api < 52) return { ...container, ...described }
  const { OnBuild, MacAddress: _ofEndpoints, ...Config } = container.Config
  return {
    ...container,
    ...described,
    Config: { ...Config, ...(OnBuild?.length ? { OnBuild } : {}) },
    NetworkSettings: without(container.NetworkSettings, (name) => OLD_NETWORK_FIELDS.has(name)),
  }
}

/** Fields of an image's configuration that older versions always had. */
const SINCE_50 = {
  Cmd: null,
  Entrypoint: null,
  Env: null,
  Labels: null,
  OnBuild: null,
  User: "",
  Volumes: null,
  WorkingDir: "",
}
const BEFORE_50 = {
  ...{
    ...SINCE_50,
    AttachStderr: false,
    AttachStdin: false,
    AttachStdout: false,
    Domainname: "",
    Hostname: "",
    Image: "",
  },
  ...{ OpenStdin: false, StdinOnce: false, Tty: false },
}
const OMITTED = new Set(["Parent", "Comment", "DockerVersion", "Author"])

export function imageAt({ Descriptor, VirtualSize: _computed, ...image }: ImageInspect, api: number): object {
  const shown = {
    ...image,
    ...(api < 44 ? { VirtualSize: image.Size } : {}),
    ...(api < 45 ? { Container: "", ContainerConfig: null } : {}),
    ...(api >= 48 && Descriptor !== undefined ? { Descriptor } : {}),
  }
  if (api < 52) return { ...shown, Config: { ...(api < 50 ? BEFORE_50 : SINCE_50), ...image.Config } }
  return without(shown, (name, value) => OMITTED.has(name) && value === "")
}

function without(object: object, isLeftOut: (name: string, value: unknown) => boolean): object {
  return Object.fromEntries(Object.entries(object).filter(([name, value]) => !isLeftOut(name, value)))
}
