// dhow network inspect: everything the daemon knows of networks.
import { inspectNetworkText } from "../../client/networks.ts"
import { defineCommand } from "../command.ts"
import { string } from "../flags/flags.ts"
import { showObjects } from "../render/inspect.ts"

export const inspect = defineCommand({
  usage: "[OPTIONS] NETWORK [NETWORK...]",
  summary: "Show details of one or more networks",
  flags: { format: string("f", "Print each with a Go template, or 'json'") } as const,
  args: [1, Number.POSITIVE_INFINITY],
  run: ({ client }, flags, names) => showObjects(names, flags.format, (name) => inspectNetworkText(client, name)),
})
