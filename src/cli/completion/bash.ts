// The completion script for bash.
import { type CompletionCommand, LISTINGS } from "./model.ts"

export function bashScript(commands: readonly CompletionCommand[]): string {
  const top = commands.filter(({ path }) => !path.includes(" ")).map(({ path }) => path)
  const cases = commands.map((command) => {
    const words = command.subcommands.map(({ name }) => name).join(" ")
    const flags = command.flags.flatMap(({ name, short }) => [
      `--${name}`,
      ...(short === undefined ? [] : [`-${short}`]),
    ])
    const withValue = command.flags
      .filter(({ takesValue }) => takesValue)
      .flatMap(({ name, short }) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])])
    const values = withValue.length === 0 ? "" : `values="${withValue.join(" ")}"; `
    return `    "${command.path}") ${values}words="${words}"; flags="${flags.join(" ")}"; listing="${command.argument}" ;;`
  })
  const listings = Object.entries(LISTINGS)
    .filter(([, command]) => command !== "")
    .map(([kind, command]) => `      ${kind}) words="$(${command})" ;;`)
  return `# bash completion for dhow
_dhow() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" word words="" flags="" values="" listing="" index
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    case "$word" in
      -*) continue ;;
    esac
    case " ${commands.map(({ path }) => `'${path}'`).join(" ")} " in
      *" '\${path:+$path }$word' "*) path="\${path:+$path }$word" ;;
      *) break ;;
    esac
  done
  case "$path" in
    "") words="${top.join(" ")}"; flags="--host -H --version -v --help" ;;
${cases.join("\n")}
  esac
  flags="$flags --help"
  case " $values " in
    *" \${COMP_WORDS[COMP_CWORD - 1]} "*)
      COMPREPLY=($(compgen -f -- "$current"))
      return
      ;;
  esac
  if [[ "$current" == -* ]]; then
    words="$flags"
  elif [[ -z "$words" ]]; then
    case "$listing" in
${listings.join("\n")}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  type __ltrim_colon_completions >/dev/null 2>&1 && __ltrim_colon_completions "$current"
}
complete -o default -F _dhow dhow
`
}
