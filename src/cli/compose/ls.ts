// dhow compose ls: the projects that have containers on this engine, whoever made them.

import { listContainers } from "../../client/containers.ts"
import { checkFilter, parseFilters } from "../../client/filters.ts"
import { LABEL } from "../../compose/labels.ts"
import { DhowError } from "../../lib/errors.ts"
import { defineCommand } from "../command.ts"
import { boolean, list, string } from "../flags/flags.ts"
import { print, writeAll } from "../output.ts"
import { formatTable } from "../render/table.ts"

export const ls = defineCommand({
  usage: "[OPTIONS]",
  summary: "List running projects",
  flags: {
    all: boolean("a", "Also projects that are stopped"),
    filter: list("", "Only those with this property (name=shop)", { check: checkFilter }),
    format: string("", "table or json", { default: "table" }),
    quiet: boolean("q", "Only print names"),
  } as const,
  args: [0, 0],
  async run({ client }, flags) {
    const filters = parseFilters(flags.filter)
    for (const name of Object.keys(filters))
      if (name !== "name") throw new DhowError("invalid", `unknown filter ${name}`)
    const containers = await listContainers(client, {
      all: flags.all === true,
      filters: { label: [LABEL.project, LABEL.hash] },
    })
    const projects = new Map<string, { readonly states: Map<string, number>; readonly files: Set<string> }>()
    for (const { Labels, State } of containers) {
      const name = Labels?.[LABEL.project] ?? ""
      const project = projects.get(name) ?? { states: new Map<string, number>(), files: new Set<string>() }
      project.states.set(State, (project.states.get(State) ?? 0) + 1)
      for (const file of (Labels?.[LABEL.files] ?? "").split(",")) if (file !== "") project.files.add(file)
      projects.set(name, project)
    }
    const rows = [...projects]
      .filter(([name]) => (filters["name"] ?? []).every((part) => name.includes(part)))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { states, files }]) => ({
        Name: name,
        Status: [...states]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([state, count]) => `${state}(${count})`)
          .join(", "),
        ConfigFiles: [...files].join(","),
      }))
    if (flags.quiet === true) for (const { Name } of rows) print(Name)
    else if (flags.format === "json") print(JSON.stringify(rows))
    else if (flags.format !== undefined && flags.format !== "table")
      throw new DhowError("invalid", `unsupported format ${JSON.stringify(flags.format)}`)
    else
      writeAll(
        1,
        formatTable([
          ["NAME", "STATUS", "CONFIG FILES"],
          ...rows.map(({ Name, Status, ConfigFiles }) => [Name, Status, ConfigFiles]),
        ]),
      )
    return 0
  },
})
