// A network as asked for, checked with Docker's words, becomes the record of one. Pure.
import { DhowError } from "../lib/errors.ts"
import { parseIp } from "../lib/ip-address.ts"
import type { NetworkCreateRequest } from "../wire/network.ts"
import { planSubnets, type SubnetSurroundings } from "./ipam/subnets.ts"
import { type Network, type NetworkRecord, plainRecord } from "./record.ts"

export type PlanSurroundings = SubnetSurroundings & {
  /** Of the host's way out. */
  readonly mtu: number
  readonly find: (name: string) => Network | undefined
}

const OPTION = "com.docker.network."
const INTERFACE_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,14}$/
const BRIDGE_FLAGS = ["enable_icc", "enable_ip_masquerade", "inhibit_ipv4", "default_bridge"]
const GATEWAY_MODES = new Set(["nat", "nat-unprotected", "routed", "isolated"])
const MACVLAN_MODES = new Set(["bridge", "private", "vepa", "passthru"])
const IPVLAN_MODES = new Set(["l2", "l3", "l3s"])
const IPVLAN_FLAGS = new Set(["bridge", "private", "vepa"])
const GO_FLAGS = new Map(
  [
    ["1 t T TRUE true True", true],
    ["0 f F FALSE false False", false],
  ].flatMap(([texts, value]) =>
    String(texts)
      .split(" ")
      .map((text) => [text, value === true] as const),
  ),
)

/** `id` is the network's: the names of its interfaces are made of it. */
export function planNetwork(request: NetworkCreateRequest, id: string, surroundings: PlanSurroundings): NetworkRecord {
  checkName(request.Name ?? "")
  const driver = request.Driver || "bridge"
  checkScope(request, driver)
  if (request.ConfigOnly) return configuration(request)
  checkDriver(driver)
  const lent = request.ConfigFrom?.Network
  return lent
    ? fromConfiguration(request, { lent, driver, id }, surroundings)
    : plan(request, { driver, id }, surroundings)
}

function plan(
  request: NetworkCreateRequest,
  { driver, id }: { readonly driver: string; readonly id: string },
  surroundings: PlanSurroundings,
): NetworkRecord {
  const options = { ...request.Options }
  const ipv4 = flag(request.EnableIPv4, options, "enable_ipv4") ?? true
  const ipv6 = flag(request.EnableIPv6, options, "enable_ipv6") ?? false
  if (!ipv4 && !ipv6) throw new DhowError("invalid", "IPv4 or IPv6 must be enabled")
  const internal = request.Internal ?? false
  const shape = driver === "bridge" ? bridgeShape(options, id) : parentShape(driver, options, { id, internal })
  const ipamDriver = request.IPAM?.Driver || "default"
  const hasAddresses = ipamDriver !== "null" && ipamDriver !== "none"
  if (hasAddresses && ipamDriver !== "default")
    throw new DhowError("not-found", `plugin "${ipamDriver}" not found`, { hint: 'The IPAM driver is "default"' })
  const subnets = hasAddresses
    ? planSubnets(request.IPAM?.Config ?? [], surroundings, {
        ipv4,
        ipv6,
        wantsGateway: driver === "bridge" || !internal,
        severalAllowed: driver !== "bridge",
      })
    : []
  return {
    ...plainRecord(driver),
    interface: shape.interface,
    subnets,
    internal,
    attachable: request.Attachable ?? false,
    ipv4,
    ipv6,
    dnsEnabled: true,
    ...(ipamDriver === "default" ? {} : { ipamDriver }),
    ...(request.IPAM?.Options ? { ipamOptions: request.IPAM.Options } : {}),
    mtu: mtu(options) ?? surroundings.mtu,
    options,
    labels: request.Labels ?? {},
  }
}

/** Docker keeps such a network's request as it is, and looks at it when it is used. */
function configuration(request: NetworkCreateRequest): NetworkRecord {
  if (request.Ingress || request.Internal || request.Attachable || request.Scope)
    throw new DhowError(
      "forbidden",
      "configuration network can only contain network specific fields. Network operator fields like [ ingress | internal | attachable | scope ] are not supported.",
    )
  if (request.ConfigFrom?.Network)
    throw new DhowError("forbidden", "a configuration network cannot depend on another configuration network")
  const config = request.IPAM?.Config ?? []
  return {
    ...plainRecord("null"),
    configOnly: true,
    ipv4: request.EnableIPv4 ?? true,
    ipv6: request.EnableIPv6 ?? false,
    subnets: config.map(({ Subnet = "", Gateway = "", IPRange, AuxiliaryAddresses }) => ({
      subnet: Subnet,
      gateway: Gateway,
      ...(IPRange ? { ipRange: IPRange } : {}),
      ...(AuxiliaryAddresses ? { auxiliary: AuxiliaryAddresses } : {}),
    })),
    ...(request.IPAM?.Driver && request.IPAM.Driver !== "default" ? { ipamDriver: request.IPAM.Driver } : {}),
    ...(request.IPAM?.Options ? { ipamOptions: request.IPAM.Options } : {}),
    options: { ...request.Options },
    labels: request.Labels ?? {},
  }
}

function fromConfiguration(
  request: NetworkCreateRequest,
  { lent, driver, id }: { readonly lent: string; readonly driver: string; readonly id: string },
  surroundings: PlanSurroundings,
): NetworkRecord {
  const { IPAM, Options = {}, Labels = {} } = request
  const hasOwn =
    (IPAM?.Driver && IPAM.Driver !== "default") ||
    request.EnableIPv4 === false ||
    request.EnableIPv6 ||
    Object.keys(Labels ?? {}).length > 0 ||
    Object.keys(IPAM?.Options ?? {}).length > 0 ||
    (IPAM?.Config ?? []).length > 0
  if (hasOwn)
    throw new DhowError(
      "forbidden",
      "user specified configurations are not supported if the network depends on a configuration network",
    )
  if (Object.keys(Options ?? {}).length > 0)
    throw new DhowError(
      "forbidden",
      "network driver options are not supported if the network depends on a configuration network",
    )
  const source = surroundings.find(lent)
  if (source?.record.configOnly !== true)
    throw new DhowError("not-found", `configuration network "${lent}" does not exist`)
  const { record } = source
  const own = plan(
    {
      ...request,
      EnableIPv4: record.ipv4 ?? true,
      EnableIPv6: record.ipv6,
      Options: record.options,
      Labels: record.labels,
      IPAM: {
        Driver: record.ipamDriver ?? "default",
        ...(record.ipamOptions === undefined ? {} : { Options: record.ipamOptions }),
        Config: record.subnets.map(({ subnet, gateway, ipRange, auxiliary }) => ({
          Subnet: subnet,
          Gateway: gateway,
          ...(ipRange === undefined ? {} : { IPRange: ipRange }),
          ...(auxiliary === undefined ? {} : { AuxiliaryAddresses: auxiliary }),
        })),
      },
    },
    { driver, id },
    surroundings,
  )
  return { ...own, configFrom: source.name }
}

function checkName(name: string): void {
  if (name.trim() === "") throw new DhowError("invalid", "invalid name: name is empty")
  if (["bridge", "host", "none", "default"].includes(name))
    throw new DhowError("forbidden", `operation is not permitted on predefined ${name} network `)
}

function checkScope({ Scope, Ingress }: NetworkCreateRequest, driver: string): void {
  if (driver === "overlay")
    throw new DhowError(
      "forbidden",
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
    )
  if (Scope === "swarm")
    throw new DhowError("forbidden", "cannot create a swarm scoped network when swarm is not active")
  if (Scope && Scope !== "local") throw new DhowError("invalid", `invalid scope "${Scope}": it is "local"`)
  if (Ingress) throw new DhowError("forbidden", "Ingress network can only be global scope network")
}

function checkDriver(driver: string): void {
  if (driver === "host" || driver === "null")
    throw new DhowError("forbidden", `only one instance of "${driver}" network is allowed`)
  if (!["bridge", "macvlan", "ipvlan"].includes(driver))
    throw new DhowError("not-found", `could not resolve driver ${driver} in v1 plugin registry: plugin not found`, {
      hint: "The drivers are bridge, macvlan and ipvlan",
    })
}

/** From the request's own field, or else from the option, which then goes. */
function flag(asked: boolean | null | undefined, options: Record<string, string>, name: string): boolean | undefined {
  const key = `${OPTION}${name}`
  const text = options[key]
  if (asked !== undefined && asked !== null) {
    delete options[key]
    return asked
  }
  if (text === undefined) return undefined
  const value = GO_FLAGS.get(text)
  if (value === undefined) throw new DhowError("invalid", `driver-opt "${key}" is not a valid bool`)
  return value
}

function bridgeShape(options: Readonly<Record<string, string>>, id: string): { readonly interface: string } {
  const unreadable = (key: string, why: string): DhowError =>
    new DhowError("invalid", `failed to parse ${key} value: ${options[key]} (${why})`)
  for (const name of BRIDGE_FLAGS) {
    const key = `${OPTION}bridge.${name}`
    const text = options[key]
    if (text !== undefined && !GO_FLAGS.has(text))
      throw unreadable(key, `strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`)
  }
  for (const key of ["bridge.host_binding_ipv4", "host_ipv4", "host_ipv6"].map((name) => `${OPTION}${name}`))
    if (options[key] !== undefined && parseIp(options[key]) === undefined) throw unreadable(key, "nil ip")
  for (const key of ["bridge.gateway_mode_ipv4", "bridge.gateway_mode_ipv6"].map((name) => `${OPTION}${name}`))
    if (options[key] !== undefined && !GATEWAY_MODES.has(options[key]))
      throw unreadable(key, `unknown gateway mode ${options[key]}`)
  mtu(options)
  const named = options[`${OPTION}bridge.name`]
  if (named !== undefined && !INTERFACE_NAME.test(named))
    throw new DhowError("invalid", `invalid bridge name "${named}": an interface's name has at most 15 characters`)
  return { interface: named ?? `br-${id.slice(0, 12)}` }
}

function mtu(options: Readonly<Record<string, string>>): number | undefined {
  const key = `${OPTION}driver.mtu`
  const text = options[key]
  if (text === undefined) return undefined
  if (!/^[+-]?\d+$/.test(text))
    throw new DhowError(
      "invalid",
      `failed to parse ${key} value: ${text} (strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax)`,
    )
  const value = Number(text)
  if (value < 0) throw new DhowError("invalid", `invalid MTU number: ${value}`)
  return value === 0 ? undefined : value
}

function parentShape(
  driver: string,
  options: Readonly<Record<string, string>>,
  { id, internal }: { readonly id: string; readonly internal: boolean },
): { readonly interface: string } {
  const parent = options["parent"]
  if (parent === "lo") throw new DhowError("invalid", `loopback interface is not a valid ${driver} parent link`)
  const check = (key: string, modes: ReadonlySet<string>, usual: string): void => {
    const mode = options[key]
    if (mode !== undefined && mode !== "" && !modes.has(mode))
      throw new DhowError(
        "invalid",
        `requested ${driver} ${key.split("_")[1]} '${mode}' is not valid, '${usual}' is the ${driver} driver default`,
      )
  }
  if (driver === "macvlan") check("macvlan_mode", MACVLAN_MODES, "bridge")
  else {
    check("ipvlan_mode", IPVLAN_MODES, "l2")
    check("ipvlan_flag", IPVLAN_FLAGS, "bridge")
  }
  if (parent && !INTERFACE_NAME.test(parent)) throw new DhowError("invalid", `invalid parent interface "${parent}"`)
  // Without a parent it is an interface of nothing: the containers of this host see one another.
  return { interface: parent && !internal ? parent : `d${driver === "macvlan" ? "m" : "i"}-${id.slice(0, 12)}` }
}
