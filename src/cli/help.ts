// Help texts, at most 80 columns wide.
import type { AnyCommand, CommandEntry } from "./command.ts"
import type { FlagSpec, Flags } from "./flags/flags.ts"

const WIDTH = 80

const GLOBAL_FLAGS: readonly (readonly [string, string])[] = [
  ["    --config string", "Directory of the user's config.json, with its logins (~/.docker)"],
  ["-H, --host string", "Socket of the daemon (unix:///run/dhow/dhow.sock)"],
  ["-v, --version", "Print the version and exit"],
  ["    --help", "Print this help"],
]

const HEADINGS = { common: "Common Commands", management: "Management Commands", other: "Commands" } as const

export function topHelp(commands: Readonly<Record<string, CommandEntry>>): string {
  let text = "Usage:  dhow [OPTIONS] COMMAND\n\nA container engine that speaks the Docker Engine API\n"
  for (const group of ["common", "management", "other"] as const) {
    const found = Object.entries(commands).filter(([, { hidden, group: own = "other" }]) => !hidden && own === group)
    const sorted = group === "common" ? found : found.sort(([a], [b]) => (a < b ? -1 : 1))
    text += `\n${HEADINGS[group]}:\n${definitions(sorted.map(([name, { summary }]) => [name, summary]))}`
  }
  text += `\nOptions:\n${definitions(GLOBAL_FLAGS)}`
  return `${text}\nRun 'dhow COMMAND --help' for more about a command.\n`
}

export function groupHelp(name: string, group: CommandEntry): string {
  const found = Object.entries(group.subcommands ?? {}).filter(([, { hidden }]) => !hidden)
  const sorted = found.sort(([a], [b]) => (a < b ? -1 : 1))
  return (
    `Usage:  dhow ${name} COMMAND\n\n${group.summary}\n` +
    `\nCommands:\n${definitions(sorted.map(([command, { summary }]) => [command, summary]))}` +
    `\nRun 'dhow ${name} COMMAND --help' for more about a command.\n`
  )
}

/** A command may have subcommands too: `dhow config` shows, `dhow config set` changes. */
export function commandHelp(name: string, command: AnyCommand, subcommands: CommandEntry["subcommands"] = {}): string {
  const more = Object.entries(subcommands).filter(([, { hidden }]) => !hidden)
  const flags = flagDefinitions(command.flags)
  const examples = (command.examples ?? []).map((line) => `  ${line}\n`).join("")
  return (
    `Usage:  dhow ${name} ${command.usage}\n\n${command.summary}\n` +
    (examples === "" ? "" : `\nExamples:\n${examples}`) +
    (flags.length === 0 ? "" : `\nOptions:\n${definitions(flags)}`) +
    (more.length === 0 ? "" : `\nCommands:\n${definitions(more.map(([word, { summary }]) => [word, summary]))}`)
  )
}

function flagDefinitions(flags: Flags): [string, string][] {
  return Object.entries(flags)
    .filter(([, spec]) => spec.hidden !== true)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, spec]) => {
      const letter = spec.short === undefined ? "    " : `-${spec.short}, `
      const value = valueWord(spec)
      const fallback = spec.default === undefined ? "" : ` (default ${spec.default})`
      return [`${letter}--${name}${value === "" ? "" : ` ${value}`}`, spec.help + fallback]
    })
}

function valueWord(spec: FlagSpec): string {
  return spec.kind === "boolean" ? "" : (spec.value ?? spec.kind)
}

/** Two columns; what does not fit continues below its own column. */
function definitions(rows: readonly (readonly [string, string])[]): string {
  const column = Math.min(30, Math.max(...rows.map(([term]) => term.length)) + 2) + 2
  let text = ""
  for (const [term, meaning] of rows) {
    const lines = wrap(meaning, WIDTH - column)
    const first = term.length + 4 > column ? `  ${term}\n${" ".repeat(column)}` : `  ${term}`.padEnd(column)
    text += `${first}${lines.join(`\n${" ".repeat(column)}`)}\n`
  }
  return text
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ""
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === "" ? word : `${line} ${word}`
  }
  lines.push(line)
  return lines
}
