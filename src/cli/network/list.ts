// dhow network ls: the networks as a table, ids, or what a template says.
import { checkFilter, parseFilters } from "../../client/filters.ts"
import { listNetworks } from "../../client/networks.ts"
import { defineCommand } from "../command.ts"
import { boolean, list as listFlag, string } from "../flags/flags.ts"
import { shortId } from "../render/human.ts"
import { labelsText, showRows } from "../render/rows.ts"

const HEADERS = {
  ID: "NETWORK ID",
  Name: "NAME",
  Driver: "DRIVER",
  Scope: "SCOPE",
  IPv4: "IPV4",
  IPv6: "IPV6",
  Internal: "INTERNAL",
  Labels: "LABELS",
  CreatedAt: "CREATED AT",
} as const

export const list = defineCommand({
  usage: "[OPTIONS]",
  summary: "List networks",
  flags: {
    filter: listFlag("f", "Show only what matches (driver=bridge)", { value: "filter", check: checkFilter }),
    format: string("", "Print each with a Go template, or 'table', 'json'"),
    "no-trunc": boolean("", "Do not shorten output"),
    quiet: boolean("q", "Only print IDs"),
  } as const,
  args: [0, 0],
  async run({ client }, flags) {
    const networks = await listNetworks(client, parseFilters(flags.filter))
    const byName = new Intl.Collator("en", { numeric: true })
    const rows = networks
      .sort((a, b) => byName.compare(a.Name, b.Name))
      .map((network) => ({
        CreatedAt: network.Created.replace("T", " ").replace(/Z$/, " +0000 UTC"),
        Driver: network.Driver,
        ID: flags["no-trunc"] === true ? network.Id : shortId(network.Id),
        IPv4: String(network.EnableIPv4 ?? false),
        IPv6: String(network.EnableIPv6),
        Internal: String(network.Internal),
        Label: (name: unknown) => network.Labels?.[String(name)] ?? "",
        Labels: labelsText(network.Labels),
        Name: network.Name,
        Scope: network.Scope,
      }))
    await showRows(rows, {
      columns: { headers: HEADERS, shown: ["ID", "Name", "Driver", "Scope"] },
      format: flags.format ?? "",
      quiet: flags.quiet === true ? "ID" : undefined,
    })
    return 0
  },
})
