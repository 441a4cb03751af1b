// dhow compose version: the built-in implementation's.
import { VERSION } from "../../lib/version.ts"
import { defineCommand } from "../command.ts"
import { boolean, string } from "../flags/flags.ts"
import { print } from "../output.ts"

export const version = defineCommand({
  usage: "[OPTIONS]",
  summary: "Show the version of the built-in compose",
  flags: {
    format: string("f", "Format of the output: pretty or json", { default: "pretty" }),
    short: boolean("", "Only the number"),
  } as const,
  args: [0, 0],
  async run(_context, flags) {
    if (flags.short === true) print(VERSION)
    else print(flags.format === "json" ? JSON.stringify({ version: VERSION }) : `Dhow Compose version ${VERSION}`)
    return 0
  },
})
