// dhow top: the processes of a container, as the host's ps shows them.
import { topContainer } from "../../client/containers.ts"
import { defineCommand } from "../command.ts"
import { writeAll } from "../output.ts"
import { formatTable } from "../render/table.ts"

export const top = defineCommand({
  usage: "CONTAINER [ps OPTIONS]",
  summary: "Show the processes of a container",
  flags: {},
  args: [1, Number.POSITIVE_INFINITY],
  interspersed: false,
  examples: ["dhow top web", "dhow top web -o pid,comm"],
  async run({ client }, _flags, [name = "", ...options]) {
    const { Titles, Processes } = await topContainer(client, name, options.join(" "))
    writeAll(1, formatTable([Titles, ...(Processes ?? [])], 20))
    return 0
  },
})
