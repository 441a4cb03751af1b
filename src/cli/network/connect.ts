// dhow network connect and disconnect: a container joins a network or leaves one, running or not.
import { connectNetwork, disconnectNetwork } from "../../client/networks.ts"
import { defineCommand } from "../command.ts"
import { keyValueMap } from "../create/key-values.ts"
import { checkMac } from "../create/networks.ts"
import { boolean, list, string } from "../flags/flags.ts"

export const connect = defineCommand({
  usage: "[OPTIONS] NETWORK CONTAINER",
  summary: "Connect a container to a network",
  flags: {
    alias: list("", "Add a name of the container on the network"),
    "driver-opt": list("", "Options of the network's driver", { value: "map" }),
    "gw-priority": string("", "The network of the highest priority is the way out (default 0)", { value: "int" }),
    ip: string("", "IPv4 address (172.30.100.104)"),
    ip6: string("", "IPv6 address (2001:db8::33)"),
    link: list("", "Add a link to another container"),
    "link-local-ip": list("", "Link-local addresses of the container"),
    "mac-address": string("", "MAC address on the network (92:d0:c6:0a:29:33)"),
  } as const,
  args: [2, 2],
  async run({ client }, flags, [network = "", container = ""]) {
    const { ip, ip6, "mac-address": mac, "gw-priority": priority } = flags
    if (mac) checkMac(mac)
    if (priority !== undefined && !/^[+-]?\d+$/.test(priority))
      throw new Error(`invalid argument ${JSON.stringify(priority)} for "--gw-priority" flag`)
    const linkLocal = flags["link-local-ip"]
    await connectNetwork(client, network, {
      Container: container,
      EndpointConfig: {
        IPAMConfig: {
          ...(ip ? { IPv4Address: ip } : {}),
          ...(ip6 ? { IPv6Address: ip6 } : {}),
          ...(linkLocal.length > 0 ? { LinkLocalIPs: [...linkLocal] } : {}),
        },
        Links: [...flags.link],
        Aliases: [...flags.alias],
        DriverOpts: keyValueMap(flags["driver-opt"]),
        ...(priority === undefined ? {} : { GwPriority: Number(priority) }),
        ...(mac ? { MacAddress: mac } : {}),
      },
    })
    return 0
  },
})

export const disconnect = defineCommand({
  usage: "[OPTIONS] NETWORK CONTAINER",
  summary: "Disconnect a container from a network",
  flags: { force: boolean("f", "Leave a network that is gone too") } as const,
  args: [2, 2],
  async run({ client }, flags, [network = "", container = ""]) {
    await disconnectNetwork(client, network, { Container: container, Force: flags.force === true })
    return 0
  },
})
