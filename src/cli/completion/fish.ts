// The completion script for fish.
import { type CompletionCommand, LISTINGS } from "./model.ts"

const quote = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`

export function fishScript(commands: readonly CompletionCommand[]): string {
  const lines = [
    "# fish completion for dhow",
    "function __dhow_path",
    "    set -l path",
    "    for word in (commandline -opc)[2..-1]",
    "        string match -q -- '-*' $word; and continue",
    `        contains -- (string join ' ' $path $word) ${commands.map(({ path }) => quote(path)).join(" ")}; or break`,
    "        set path $path $word",
    "    end",
    "    string join ' ' $path",
    "end",
    "function __dhow_at",
    "    set -l path (__dhow_path)",
    '    test "$path" = "$argv[1]"',
    "end",
    "complete -c dhow -f",
  ]
  for (const command of commands) {
    const parent = command.path.split(" ").slice(0, -1).join(" ")
    const name = command.path.split(" ").at(-1)!
    lines.push(`complete -c dhow -n '__dhow_at "${parent}"' -a ${name} -d ${quote(command.summary)}`)
    const at = `-n '__dhow_at "${command.path}"'`
    for (const { name: flag, short, help, takesValue } of command.flags)
      lines.push(
        `complete -c dhow ${at} -l ${flag}${short === undefined ? "" : ` -s ${short}`}${takesValue ? " -r -F" : ""} -d ${quote(help)}`,
      )
    if (command.argument !== "none") lines.push(`complete -c dhow ${at} -a ${quote(`(${LISTINGS[command.argument]})`)}`)
  }
  return `${lines.join("\n")}\n`
}
