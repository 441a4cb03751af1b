// The completion script for zsh.
import { type CompletionCommand, LISTINGS } from "./model.ts"

const quote = (text: string): string => text.replaceAll("'", "'\\''")
const describe = (name: string, summary: string): string => `'${name}:${quote(summary).replaceAll(":", "\\:")}'`

export function zshScript(commands: readonly CompletionCommand[]): string {
  const top = commands.filter(({ path }) => !path.includes(" "))
  const cases = commands.map((command) => {
    if (command.subcommands.length > 0) {
      const words = command.subcommands.map(({ name, summary }) => describe(name, summary)).join(" ")
      return `    "${command.path}") commands_=(${words}) ;;`
    }
    const flags = command.flags.flatMap(({ name, short, help }) => [
      describe(`--${name}`, help),
      ...(short === undefined ? [] : [describe(`-${short}`, help)]),
    ])
    return `    "${command.path}") flags=(${flags.join(" ")}); listing="${command.argument}" ;;`
  })
  const listings = Object.entries(LISTINGS)
    .filter(([, command]) => command !== "")
    .map(([kind, command]) => `      ${kind}) found=("\${(@f)$(${command})}"); compadd -a found ;;`)
  return `#compdef dhow
# zsh completion for dhow
_dhow() {
  local path_="" word listing=""
  local -a line_words commands_ flags found known
  line_words=("\${(@)words}")
  known=(${commands.map(({ path }) => `'${path}'`).join(" ")})
  local index
  for ((index = 2; index < CURRENT; index++)); do
    word="\${line_words[index]}"
    [[ "$word" == -* ]] && continue
    if (( \${known[(Ie)\${path_:+$path_ }$word]} )); then path_="\${path_:+$path_ }$word"; else break; fi
  done
  case "$path_" in
    "") commands_=(${top.map(({ path, summary }) => describe(path, summary)).join(" ")})
        flags=('--host:Socket of the daemon' '--version:Print the version' '--help:Print help') ;;
${cases.join("\n")}
  esac
  if [[ "\${line_words[CURRENT]}" == -* ]]; then
    _describe -o 'option' flags
  elif (( \${#commands_} )); then
    _describe 'command' commands_
  else
    case "$listing" in
${listings.join("\n")}
      *) _files ;;
    esac
  fi
}
_dhow "$@"
`
}
