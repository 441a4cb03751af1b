// --network and what describes the container's end of it (--network-alias, --ip, --mac-address, --link).
import type { EndpointSettings } from "../../wire/container.ts"
import { cut, parseCsvRecord } from "../flags/csv.ts"

type Attachment = {
  target: string
  aliases: string[]
  driverOpts: Record<string, string>
  links: string[]
  ipv4: string
  ipv6: string
  linkLocal: string[]
  mac: string
  gwPriority: number
}

export type EndpointFlags = {
  readonly aliases: readonly string[]
  readonly links: readonly string[]
  readonly ipv4: string | undefined
  readonly ipv6: string | undefined
  readonly linkLocal: readonly string[]
  readonly mac: string | undefined
}

export type Networks = {
  /** HostConfig.NetworkMode */
  readonly mode: string
  readonly endpoints: Record<string, EndpointSettings>
}

export function parseNetworks(specs: readonly string[], flags: EndpointFlags): Networks {
  const attachments = (specs.length === 0 ? ["default"] : specs).map(parseNetwork)
  applyFlags(attachments[0]!, flags)
  const endpoints: Record<string, EndpointSettings> = {}
  for (const attachment of attachments) {
    const endpoint = endpointOf(attachment)
    if (Object.hasOwn(endpoints, attachment.target))
      throw new Error(`network ${JSON.stringify(attachment.target)} is specified multiple times`)
    // A single network with nothing to say about it is what NetworkMode says already.
    if (attachments.length > 1 || Object.keys(endpoint).length > 0) endpoints[attachment.target] = endpoint
  }
  if (new Set(attachments.map(({ target }) => isUserDefined(target))).size > 1)
    throw new Error("conflicting options: cannot attach both user-defined and non-user-defined network-modes")
  return { mode: attachments[0]!.target, endpoints }
}

export function isUserDefined(mode: string): boolean {
  return !["default", "bridge", "host", "none"].includes(mode) && !mode.startsWith("container:") && mode !== "container"
}

export function parseNetwork(text: string): Attachment {
  const attachment: Attachment = {
    target: text,
    aliases: [],
    driverOpts: {},
    links: [],
    ipv4: "",
    ipv6: "",
    linkLocal: [],
    mac: "",
    gwPriority: 0,
  }
  if (!/\w+=\w+/.test(text)) return attachment
  attachment.target = ""
  for (const field of parseCsvRecord(text)) {
    const [rawKey, rawValue] = cut(field.toLowerCase(), "=")
    if (rawValue === undefined || rawKey === "") throw new Error(`invalid field ${field}`)
    setField(attachment, rawKey.trim(), rawValue.trim())
  }
  if (attachment.target === "") throw new Error("network name/id is not specified")
  return attachment
}

function setField(attachment: Attachment, key: string, value: string): void {
  switch (key) {
    case "name":
      attachment.target = value
      break
    case "alias":
      attachment.aliases.push(value)
      break
    case "ip":
      attachment.ipv4 = value
      break
    case "ip6":
      attachment.ipv6 = value
      break
    case "mac-address":
      attachment.mac = value
      break
    case "link-local-ip":
      attachment.linkLocal.push(value)
      break
    case "driver-opt": {
      const [name, option] = cut(value, "=")
      if (option === undefined || name === "") throw new Error("invalid key value pair format in driver options")
      attachment.driverOpts[name.trim()] = option.trim()
      break
    }
    case "gw-priority":
      if (!/^[+-]?\d+$/.test(value)) throw new Error(`invalid gw-priority (${value}): invalid syntax`)
      attachment.gwPriority = Number(value)
      break
    default:
      throw new Error(`invalid field key ${key}`)
  }
}

function applyFlags(attachment: Attachment, flags: EndpointFlags): void {
  const conflict = (flag: string, what: string): Error =>
    new Error(`conflicting options: cannot specify both --${flag} and per-network ${what}`)
  if (attachment.aliases.length > 0 && flags.aliases.length > 0) throw conflict("network-alias", "alias")
  if (attachment.ipv4 !== "" && flags.ipv4) throw conflict("ip", "IPv4 address")
  if (attachment.ipv6 !== "" && flags.ipv6) throw conflict("ip6", "IPv6 address")
  if (attachment.mac !== "" && flags.mac) throw conflict("mac-address", "MAC address")
  if (attachment.linkLocal.length > 0 && flags.linkLocal.length > 0)
    throw conflict("link-local-ip", "link-local IP addresses")
  attachment.aliases.push(...flags.aliases)
  // On the default bridge a link is the container's; on a network of the user's it is an alias at this endpoint.
  if (isUserDefined(attachment.target)) attachment.links.push(...flags.links)
  attachment.linkLocal.push(...flags.linkLocal)
  attachment.ipv4 ||= flags.ipv4 ?? ""
  attachment.ipv6 ||= flags.ipv6 ?? ""
  attachment.mac ||= flags.mac ?? ""
}

function endpointOf(attachment: Attachment): EndpointSettings {
  const { target, aliases, driverOpts, links, ipv4, ipv6, linkLocal, mac, gwPriority } = attachment
  if (target.trim() === "") throw new Error("no name set for network")
  if (!isUserDefined(target) && aliases.length > 0)
    throw new Error("network-scoped aliases are only supported for user-defined networks")
  if (mac !== "") checkMac(mac)
  const endpoint: EndpointSettings = {}
  if (aliases.length > 0) endpoint.Aliases = aliases
  if (links.length > 0) endpoint.Links = links
  if (Object.keys(driverOpts).length > 0) endpoint.DriverOpts = driverOpts
  if (gwPriority !== 0) endpoint.GwPriority = gwPriority
  if (mac !== "") endpoint.MacAddress = mac
  if (ipv4 !== "" || ipv6 !== "" || linkLocal.length > 0)
    endpoint.IPAMConfig = {
      ...(ipv4 === "" ? {} : { IPv4Address: ipv4 }),
      ...(ipv6 === "" ? {} : { IPv6Address: ipv6 }),
      ...(linkLocal.length === 0 ? {} : { LinkLocalIPs: linkLocal }),
    }
  return endpoint
}

export function checkMac(text: string): string {
  const mac = text.trim()
  const groups =
    /^[0-9a-fA-F]{2}([:-])[0-9a-fA-F]{2}(\1[0-9a-fA-F]{2}){4}((\1[0-9a-fA-F]{2}){2})?((\1[0-9a-fA-F]{2}){12})?$/
  if (!groups.test(mac) && !/^[0-9a-fA-F]{4}(\.[0-9a-fA-F]{4}){2,3}$/.test(mac))
    throw new Error(`${text} is not a valid mac address`)
  return text
}
