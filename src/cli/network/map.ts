// dhow network map: who reaches whom, by which names, and what is open from outside.
import { networkMap } from "../../client/networks.ts"
import type { MapNetwork, NetworkMap } from "../../wire/network-map.ts"
import { defineCommand } from "../command.ts"
import { boolean } from "../flags/flags.ts"
import { print, writeAll } from "../output.ts"
import { formatTable } from "../render/table.ts"

const OUT: Readonly<Record<MapNetwork["Out"], string>> = {
  masqueraded: "out with the host's address",
  routed: "out with their own addresses",
  wire: "on the wire of the parent interface",
  host: "the host's own network",
  "": "no way out",
}

export const map = defineCommand({
  usage: "[OPTIONS] [NETWORK...]",
  summary: "Show who reaches whom, by which names, and what is open from outside",
  flags: { json: boolean("", "Print it as JSON") } as const,
  args: [0, Number.POSITIVE_INFINITY],
  examples: ["dhow network map", "dhow network map --json back"],
  async run({ client }, flags, names) {
    const found = await networkMap(client, names)
    if (flags.json === true) print(JSON.stringify(found, null, 2))
    else writeAll(1, text(found))
    return 0
  },
})

function text({ Networks, Reaches, Ports }: NetworkMap): string {
  const parts = Networks.filter(({ Containers }) => Containers.length > 0).map(networkText)
  if (Reaches.length > 0) {
    const rows = Reaches.map(({ From, To, Networks: by }) => [From, To, by.join(", ")])
    parts.push(formatTable([["CONTAINER", "REACHES", "BY NETWORK"], ...rows]))
  }
  if (Ports.length > 0) {
    const rows = Ports.map(({ HostIp, HostPort, Container, Port, From }) => [
      `${HostIp.includes(":") ? `[${HostIp}]` : HostIp}:${HostPort}`,
      `${Container}:${Port}`,
      From,
    ])
    parts.push(formatTable([["OPEN", "LEADS TO", "FROM"], ...rows]))
  }
  return parts.length === 0 ? "No container that runs is on a network\n" : parts.join("\n")
}

function networkText({ Name, Driver, Subnets, Together, Out, Containers }: MapNetwork): string {
  const head = [`${Name} (${[Driver, ...Subnets].join(", ")})`, OUT[Out], ...(Together ? [] : ["kept apart"])].join(
    "; ",
  )
  const rows = Containers.map((container) => [
    `  ${container.Name}`,
    container.Addresses.join(" "),
    container.Names.length === 0 ? "" : `names: ${container.Names.join(" ")}`,
  ])
  return `${head}\n${formatTable(rows)}`
}
