// dhow platform ls: which platforms this host runs, by itself or emulated.
import { listPlatforms } from "../../client/platforms.ts"
import { defineCommand } from "../command.ts"
import { boolean, string } from "../flags/flags.ts"
import { showRows } from "../render/rows.ts"
import { PLATFORM_COLUMNS, platformRow } from "./row.ts"

export const list = defineCommand({
  usage: "[OPTIONS]",
  summary: "List the platforms that this host runs, by itself or emulated",
  flags: {
    format: string("", "Print each with a Go template, or 'table', 'json'"),
    quiet: boolean("q", "Only print the platforms that run"),
  } as const,
  args: [0, 0],
  async run({ client }, flags) {
    const found = await listPlatforms(client)
    const isQuiet = flags.quiet === true
    const shown = isQuiet ? found.filter(({ State }) => State === "native" || State === "emulated") : found
    await showRows(shown.map(platformRow), {
      columns: PLATFORM_COLUMNS,
      format: flags.format ?? "",
      quiet: isQuiet ? "Platform" : undefined,
    })
    return 0
  },
})
