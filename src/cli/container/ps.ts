// dhow ps: the containers as a table, ids, or what a template says.
import { listContainers } from "../../client/containers.ts"
import { checkFilter, parseFilters } from "../../client/filters.ts"
import { defineCommand } from "../command.ts"
import { boolean, int, list, string } from "../flags/flags.ts"
import { showRows } from "../render/rows.ts"
import { containerColumns, containerRow, isForeign } from "./row.ts"

export const ps = defineCommand({
  usage: "[OPTIONS]",
  summary: "List containers",
  flags: {
    all: boolean("a", "Show all containers, not only those that run"),
    filter: list("f", "Show only what matches (status=exited, name=web)", { value: "filter", check: checkFilter }),
    format: string("", "Print each with a Go template, or 'table', 'json'"),
    last: int("n", "Show the last created containers, in any state"),
    latest: boolean("l", "Show the last created container, in any state"),
    "no-trunc": boolean("", "Do not shorten output"),
    quiet: boolean("q", "Only print IDs"),
    size: boolean("s", "Show sizes"),
  } as const,
  args: [0, 0],
  examples: ["dhow ps -a", "dhow ps --filter status=exited -q", "dhow ps --format '{{.Names}}: {{.Status}}'"],
  async run({ client }, flags) {
    const format = flags.format ?? ""
    // A template that shows the size asks for it.
    const size = flags.size === true || /\.Size\b|\bjson \.[\s}]/.test(format)
    const limit = flags.latest === true ? 1 : (flags.last ?? 0) > 0 ? flags.last : undefined
    const containers = await listContainers(client, {
      all: flags.all === true || limit !== undefined,
      limit,
      size,
      filters: parseFilters(flags.filter),
    })
    const truncate = flags["no-trunc"] !== true
    await showRows(
      containers.map((container) => containerRow(container, { truncate, size })),
      {
        columns: containerColumns(size, containers.some(isForeign)),
        format,
        quiet: flags.quiet === true ? "ID" : undefined,
      },
    )
    return 0
  },
})
