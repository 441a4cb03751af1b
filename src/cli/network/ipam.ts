// What --subnet, --ip-range, --gateway and --aux-address say together: each of the latter goes to the subnet it lies in.
import { DhowError } from "../../lib/errors.ts"
import { contains, overlaps, type Prefix, parseIp, parsePrefix } from "../../lib/ip-address.ts"

export type SubnetConfig = {
  Subnet?: string
  IPRange?: string
  Gateway?: string
  AuxiliaryAddresses?: Record<string, string>
}

export function planIpam(flags: {
  readonly subnets: readonly string[]
  readonly ranges: readonly string[]
  readonly gateways: readonly string[]
  readonly auxiliary: Readonly<Record<string, string>>
}): SubnetConfig[] {
  const { subnets, ranges, gateways, auxiliary } = flags
  if (subnets.length < ranges.length || subnets.length < gateways.length)
    throw invalid("every ip-range or gateway must have a corresponding subnet")
  const planned: { readonly prefix: Prefix; readonly config: SubnetConfig }[] = []
  for (const text of subnets) {
    const prefix = parsePrefix(text)?.prefix
    if (prefix === undefined) throw invalid(`invalid CIDR address: ${text}`)
    if (planned.some((other) => overlaps(other.prefix, prefix)))
      throw invalid("multiple overlapping subnet configuration is not supported")
    planned.push({ prefix, config: { Subnet: text } })
  }
  for (const text of ranges) {
    const range = parsePrefix(text)?.prefix
    const home = planned.find(({ prefix }) => range !== undefined && overlaps(prefix, range))
    if (home === undefined) throw invalid(`no matching subnet for range ${text}`)
    if (home.config.IPRange !== undefined)
      throw invalid(
        `cannot configure multiple ranges (${text}, ${home.config.IPRange}) on the same subnet (${home.config.Subnet})`,
      )
    home.config.IPRange = text
  }
  for (const text of gateways) {
    const home = homeOf(planned, text)
    if (home === undefined) throw invalid(`no matching subnet for gateway ${text}`)
    if (home.Gateway !== undefined)
      throw invalid(
        `cannot configure multiple gateways (${text}, ${home.Gateway}) for the same subnet (${home.Subnet})`,
      )
    home.Gateway = text
  }
  for (const [name, text] of Object.entries(auxiliary)) {
    const home = homeOf(planned, text)
    if (home === undefined) throw invalid(`no matching subnet for aux-address ${text}`)
    home.AuxiliaryAddresses = { ...home.AuxiliaryAddresses, [name]: text }
  }
  return planned.map(({ config }) => config)
}

function homeOf(
  planned: readonly { readonly prefix: Prefix; readonly config: SubnetConfig }[],
  text: string,
): SubnetConfig | undefined {
  const address = parseIp(text)
  return planned.find(({ prefix }) => address !== undefined && contains(prefix, address))?.config
}

function invalid(message: string): DhowError {
  return new DhowError("invalid", message)
}
