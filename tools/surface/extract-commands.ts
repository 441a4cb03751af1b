// Takes the commands out of an installed docker client, by its help: `docker container run` and the like, with their short
// forms. Writes tools/surface/commands.json.
//   bun tools/surface/extract-commands.ts [docker]
import { join } from "node:path"

const program = process.argv[2] ?? "docker"
/** What other programs and swarm mode are for. */
const OUTSIDE =
  /^(ai|app|bake|build|builder|buildx|checkpoint|compose|config|context|debug|model|node|plugin|scout|secret|service|stack|swarm|trust)\*?$/

function help(...words: readonly string[]): string {
  return Bun.spawnSync([program, ...words, "--help"]).stdout.toString()
}

function commandsIn(text: string): { readonly name: string; readonly isGroup: boolean }[] {
  const found: { name: string; isGroup: boolean }[] = []
  let section = ""
  for (const line of text.split("\n")) {
    if (/^\S.*:$/.test(line)) section = line
    const name = /^ {2}([a-z][a-z-]*)\*? {2,}\S/.exec(line)?.[1]
    if (name !== undefined && section.endsWith("Commands:") && !OUTSIDE.test(name))
      found.push({ name, isGroup: section.startsWith("Management") })
  }
  return found
}

const names = commandsIn(help()).flatMap(({ name, isGroup }) =>
  isGroup ? commandsIn(help(name)).map((command) => `docker ${name} ${command.name}`) : [`docker ${name}`],
)
const version = Bun.spawnSync([program, "--version"]).stdout.toString()
const commands = { client: /\d+\.\d+/.exec(version)?.[0] ?? "", names: [...new Set(names)].sort() }
await Bun.write(join(import.meta.dir, "commands.json"), `${JSON.stringify(commands, undefined, 2)}\n`)
console.log(`${names.length} commands of client ${commands.client}`)
