// dhow compose: hands its words to docker's compose plugin where one is installed, and else to the built-in commands.

import { defineCommand } from "../command.ts"
import { resolveCommand } from "./dispatch.ts"
import { globalFlags } from "./globals.ts"
import { findPlugin, runPlugin } from "./plugin.ts"

/** What only the built-in implementation has. */
const OURS = new Set(["--builtin", "plan", "--rolling"])

export const compose = defineCommand({
  usage: "[OPTIONS] COMMAND",
  summary: "Define and run applications of several containers",
  flags: globalFlags,
  args: [0, Number.POSITIVE_INFINITY],
  examples: ["dhow compose up -d", "dhow compose --builtin plan", "dhow compose -f compose.yaml -f prod.yaml config"],
  async run({ client, name }, _flags, words) {
    const isOurs = process.env["DHOW_COMPOSE"] === "builtin" || words.some((word) => OURS.has(word))
    const plugin = isOurs ? undefined : findPlugin()
    if (plugin !== undefined) return runPlugin(plugin, client, words)
    return resolveCommand(client, name, words)
  },
})
