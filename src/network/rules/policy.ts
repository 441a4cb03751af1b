// What a bridge lets through, read from its network's record: Docker's driver options by their names. Pure.
import { type Family, formatPrefix, parsePrefix } from "../../lib/ip-address.ts"
import type { NetworkRecord } from "../record.ts"

export type GatewayMode = "nat" | "nat-unprotected" | "routed" | "isolated"

export type FamilyPolicy = {
  readonly mode: GatewayMode
  readonly subnets: readonly string[]
  /** Packets leave with an address of the host's. */
  readonly masquerade: boolean
  /** That one, where the user chose it. */
  readonly hostAddress: string | undefined
}

export type BridgePolicy = {
  readonly bridge: string
  /** Whether containers of the bridge reach one another. */
  readonly icc: boolean
  readonly internal: boolean
  /** Interfaces from which containers are reached at their own addresses. */
  readonly trusted: readonly string[]
  readonly 4: FamilyPolicy
  readonly 6: FamilyPolicy
}

const OPTION = "com.docker.network."
/** Go's strconv.ParseBool. */
const FALSE = new Set(["0", "f", "F", "FALSE", "false", "False"])
const MODES: ReadonlySet<string> = new Set<GatewayMode>(["nat", "nat-unprotected", "routed", "isolated"])

/** An option that is on unless something else was asked for. */
export function isOn(options: NetworkRecord["options"], name: string): boolean {
  return !FALSE.has(options[`${OPTION}${name}`] ?? "")
}

export function gatewayMode({ options }: Pick<NetworkRecord, "options">, family: Family): GatewayMode {
  const mode = options[`${OPTION}bridge.gateway_mode_ipv${family}`] ?? ""
  return MODES.has(mode) ? (mode as GatewayMode) : "nat"
}

export function policyOf(record: NetworkRecord): BridgePolicy {
  const trusted = record.options[`${OPTION}bridge.trusted_host_interfaces`] ?? ""
  return {
    bridge: record.interface,
    icc: isOn(record.options, "bridge.enable_icc"),
    internal: record.internal,
    trusted: trusted.split(":").filter((name) => name !== ""),
    4: familyPolicy(record, 4),
    6: familyPolicy(record, 6),
  }
}

function familyPolicy(record: NetworkRecord, family: Family): FamilyPolicy {
  const mode = gatewayMode(record, family)
  const subnets = record.subnets.flatMap(({ subnet }) => {
    const prefix = parsePrefix(subnet)?.prefix
    return prefix?.family === family ? [formatPrefix(prefix)] : []
  })
  const isNat = mode === "nat" || mode === "nat-unprotected"
  return {
    mode,
    subnets,
    masquerade: isNat && !record.internal && isOn(record.options, "bridge.enable_ip_masquerade"),
    hostAddress: record.options[`${OPTION}host_ipv${family}`] || undefined,
  }
}
