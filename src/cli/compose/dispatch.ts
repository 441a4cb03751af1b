// The built-in compose's own command line: global flags, then a subcommand with its flags.
import type { Client } from "../../client/client.ts"
import { nearest } from "../../lib/suggest.ts"
import { type CommandEntry, checkArguments } from "../command.ts"
import { parseFlags, UsageError } from "../flags/parse.ts"
import { print, writeAll } from "../output.ts"
import { composeCommands } from "./commands.ts"
import { globalFlags } from "./globals.ts"

/** Commands of docker's plugin that are not built in. */
const PLUGIN_ONLY = new Set([
  "attach",
  "bridge",
  "commit",
  "convert",
  "export",
  "publish",
  "push",
  "stats",
  "volumes",
  "watch",
])

export async function resolveCommand(client: Client, name: string, words: readonly string[]): Promise<number> {
  const global = parseFlags(globalFlags, words, { interspersed: false })
  const [first = "", ...rest] = global.args[0] === "help" ? [...global.args.slice(1), "--help"] : global.args
  if (global.flags.version === true) {
    const { VERSION } = await import("../../lib/version.ts")
    print(`Dhow Compose version ${VERSION}`)
    return 0
  }
  if (first === "" || first === "--help" || global.help) {
    const { commandHelp } = await import("../help.ts")
    const { compose } = await import("./compose.ts")
    writeAll(1, commandHelp(name, compose, composeCommands))
    return 0
  }
  const entry: CommandEntry | undefined = Object.hasOwn(composeCommands, first) ? composeCommands[first] : undefined
  if (entry?.load === undefined) throw unknownCommand(name, first)
  const path = `${name} ${first}`
  const command = await entry.load()
  const parsed = parseComposeFlags(command, rest)
  if (parsed.help) {
    const { commandHelp } = await import("../help.ts")
    writeAll(1, commandHelp(path, command))
    return 0
  }
  checkArguments(command, path, parsed.args)
  return command.run({ client, name: path, globals: global.flags }, parsed.flags, parsed.args)
}

/** A wrong command line ends with 1 here, as docker compose's does. */
function parseComposeFlags(
  command: Awaited<ReturnType<NonNullable<CommandEntry["load"]>>>,
  words: readonly string[],
): ReturnType<typeof parseFlags> {
  try {
    return parseFlags(command.flags, words, { interspersed: command.interspersed ?? true })
  } catch (error) {
    throw error instanceof UsageError ? Object.assign(error, { exitCode: 1 }) : error
  }
}

function unknownCommand(name: string, word: string): UsageError {
  if (PLUGIN_ONLY.has(word))
    return Object.assign(
      new UsageError(
        `the built-in compose has no "${word}"`,
        "Docker's compose plugin has: dhow compose runs it where it is installed",
      ),
      { exitCode: 1 },
    )
  const near = nearest(word, Object.keys(composeCommands))
  const hint = near === undefined ? `See: dhow ${name} --help` : `Did you mean "${near}"?`
  return Object.assign(new UsageError(`unknown command "${name} ${word}"`, hint), { exitCode: 1 })
}
