// dhow volume inspect: everything the daemon knows of volumes, the bytes of their files and who uses them with it.
import { volumeDetailText } from "../../client/volumes.ts"
import { defineCommand } from "../command.ts"
import { string } from "../flags/flags.ts"
import { showObjects } from "../render/inspect.ts"

export const inspect = defineCommand({
  usage: "[OPTIONS] VOLUME [VOLUME...]",
  summary: "Show details of one or more volumes",
  flags: { format: string("f", "Print each with a Go template, or 'json'") } as const,
  args: [1, Number.POSITIVE_INFINITY],
  run: ({ client }, flags, names) => showObjects(names, flags.format, (name) => volumeDetailText(client, name)),
})
