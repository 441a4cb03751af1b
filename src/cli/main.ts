// The CLI: finds the command, reads its flags, runs it. What goes wrong is one line on standard error and the status.
import { resolveAddress } from "../client/address.ts"
import { Client } from "../client/client.ts"
import { connectOrStart } from "../client/connect.ts"
import { nearest } from "../lib/suggest.ts"
import { type CommandEntry, checkArguments } from "./command.ts"
import { COMMANDS } from "./commands.ts"
import { exitStatusOf, printFailure } from "./failure.ts"
import { boolean, string } from "./flags/flags.ts"
import { parseFlags, UsageError } from "./flags/parse.ts"
import { isNotOffered } from "./not-offered.ts"
import { writeAll } from "./output.ts"

const globalFlags = {
  config: string("", "Directory of the user's config.json, with its logins"),
  context: string("c", "Name of the context", { hidden: true }),
  debug: boolean("D", "Enable debug mode", { hidden: true }),
  host: string("H", "Socket of the daemon"),
  "log-level": string("l", "Logging level", { hidden: true }),
  version: boolean("v", "Print the version and exit"),
} as const

export async function runCli(argv: readonly string[]): Promise<number> {
  try {
    return await dispatch(argv)
  } catch (error) {
    printFailure(error)
    return exitStatusOf(error)
  }
}

async function dispatch(argv: readonly string[]): Promise<number> {
  const global = parseFlags(globalFlags, argv, { interspersed: false })
  if (global.flags.version === true) {
    const { COMMIT, VERSION } = await import("../lib/version.ts")
    writeAll(1, `Dhow version ${VERSION}, build ${COMMIT}\n`)
    return 0
  }
  const words = global.args[0] === "help" ? [...global.args.slice(1), "--help"] : global.args
  const found = findCommand(words)
  if (found === undefined || global.help) {
    const { topHelp } = await import("./help.ts")
    writeAll(1, topHelp(COMMANDS))
    return 0
  }
  const { entry, name, rest } = found
  if (entry.load === undefined) return groupOrDaemon(entry, name, rest)
  const command = await entry.load()
  if (entry.dispatches === true) {
    if (global.flags.config) process.env["DOCKER_CONFIG"] = global.flags.config
    return command.run({ client: new Client(resolveAddress(global.flags.host), connectOrStart), name }, {}, rest)
  }
  const parsed = parseFlags(command.flags, rest, { interspersed: command.interspersed ?? true })
  if (parsed.help) {
    const { commandHelp } = await import("./help.ts")
    writeAll(1, commandHelp(name, command, entry.subcommands))
    return 0
  }
  checkArguments(command, name, parsed.args)
  // As an environment variable, so that credential helpers are told too.
  if (global.flags.config) process.env["DOCKER_CONFIG"] = global.flags.config
  const client = new Client(resolveAddress(global.flags.host), connectOrStart)
  return command.run({ client, name }, parsed.flags, parsed.args)
}

type Found = { readonly entry: CommandEntry; readonly name: string; readonly rest: readonly string[] }

function findCommand(words: readonly string[]): Found | undefined {
  let table = COMMANDS
  const path: string[] = []
  for (const [index, word] of words.entries()) {
    if (word.startsWith("-")) break
    const entry = Object.hasOwn(table, word) ? table[word] : undefined
    if (entry === undefined) throw unknownCommand([...path, word], table)
    path.push(word)
    if (entry.subcommands === undefined || entry.dispatches === true)
      return { entry, name: path.join(" "), rest: words.slice(index + 1) }
    table = entry.subcommands
  }
  if (path.length === 0) return undefined
  return { entry: COMMANDS[path[0]!]!, name: path.join(" "), rest: words.slice(path.length) }
}

function unknownCommand(path: readonly string[], table: Readonly<Record<string, CommandEntry>>): UsageError {
  const known = Object.entries(table).filter(([, entry]) => entry.hidden !== true)
  const near = nearest(
    path.at(-1)!,
    known.map(([name]) => name),
  )
  const parent = path.slice(0, -1).join(" ")
  const said = isNotOffered(path)
    ? `"dhow ${path.join(" ")}" is not available in this version`
    : `unknown command "${path.join(" ")}"${near === undefined ? "" : `: did you mean "${near}"?`}`
  const error = new UsageError(said, `See: dhow ${parent === "" ? "" : `${parent} `}--help`)
  return Object.assign(error, { exitCode: 1 })
}

async function groupOrDaemon(entry: CommandEntry, name: string, rest: readonly string[]): Promise<number> {
  parseFlags({}, rest)
  const { groupHelp } = await import("./help.ts")
  writeAll(1, groupHelp(name, entry))
  return 0
}
