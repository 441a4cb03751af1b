// dhow network create: a network, and the id that it gets.
import { createNetwork } from "../../client/networks.ts"
import { DhowError } from "../../lib/errors.ts"
import type { NetworkCreateRequest } from "../../wire/network.ts"
import { defineCommand } from "../command.ts"
import { checkLabel, keyValueMap } from "../create/key-values.ts"
import { boolean, list, string } from "../flags/flags.ts"
import { print } from "../output.ts"
import { planIpam } from "./ipam.ts"

export const create = defineCommand({
  usage: "[OPTIONS] NETWORK",
  summary: "Create a network",
  flags: {
    attachable: boolean("", "Let containers join by hand (of use in a swarm only)"),
    "aux-address": list("", "Addresses that no container gets (name=address)", { value: "map" }),
    "config-from": string("", "The network to take the configuration from", { value: "network" }),
    "config-only": boolean("", "Make a configuration for other networks, not a network"),
    driver: string("d", "Driver of the network (bridge, macvlan, ipvlan)", { default: "bridge" }),
    gateway: list("", "Gateway of the subnet"),
    ingress: boolean("", "Make the routing mesh of a swarm", { hidden: true }),
    internal: boolean("", "Let nothing in or out"),
    "ip-range": list("", "Give addresses from this part of the subnet only"),
    "ipam-driver": string("", "Driver that gives addresses", { default: "default" }),
    "ipam-opt": list("", "Options of the IPAM driver", { value: "map" }),
    ipv4: boolean("", "Give IPv4 addresses (default true)"),
    ipv6: boolean("", "Give IPv6 addresses"),
    label: list("", "Set metadata on the network", { check: checkLabel }),
    opt: list("o", "Options of the driver", { value: "map" }),
    scope: string("", "Scope of the network", { hidden: true }),
    subnet: list("", "Subnet in CIDR form (10.1.0.0/24); once for each family"),
  } as const,
  args: [1, 1],
  async run({ client }, flags, [name = ""]) {
    const given = <T>(key: string, value: T | undefined): Record<string, T> =>
      value === undefined ? {} : { [key]: value }
    const config = planIpam({
      subnets: flags.subnet,
      ranges: flags["ip-range"],
      gateways: flags.gateway,
      auxiliary: keyValueMap(flags["aux-address"]),
    })
    if (flags["config-from"] !== undefined && flags["config-only"] === true)
      throw new DhowError("invalid", "conflicting options: --config-from and --config-only")
    const request: NetworkCreateRequest = {
      Name: name,
      Driver: flags.driver ?? "bridge",
      ...given("Scope", flags.scope),
      ...given("EnableIPv4", flags.ipv4),
      ...given("EnableIPv6", flags.ipv6),
      IPAM: { Driver: flags["ipam-driver"] ?? "default", Options: keyValueMap(flags["ipam-opt"]), Config: config },
      Internal: flags.internal === true,
      Attachable: flags.attachable === true,
      Ingress: flags.ingress === true,
      ConfigOnly: flags["config-only"] === true,
      ...(flags["config-from"] === undefined ? {} : { ConfigFrom: { Network: flags["config-from"] } }),
      Options: keyValueMap(flags.opt),
      Labels: keyValueMap(flags.label),
    }
    const { Id, Warning } = await createNetwork(client, request)
    if (Warning) console.error(`WARNING: ${Warning}`)
    print(Id)
    return 0
  },
})
