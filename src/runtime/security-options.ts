// `HostConfig.SecurityOpt`, docker run's --security-opt: "key=value" words, with Docker's older "key:value".
import { DhowError } from "../lib/errors.ts"

export type SecurityOptions = {
  readonly noNewPrivileges: boolean
  /** "" for the default, "unconfined", "builtin", or the text of a profile. */
  readonly seccomp: string
  /** "" for the default. */
  readonly apparmor: string
  /** Unset: as `Privileged` says. */
  readonly writableCgroups: boolean | undefined
  readonly unconfinedPaths: boolean
  /** What follows "label=", in order. */
  readonly labels: readonly string[]
}

export function parseSecurityOptions(options: readonly string[] | null | undefined): SecurityOptions {
  let noNewPrivileges = false
  let seccomp = ""
  let apparmor = ""
  let writableCgroups: boolean | undefined
  let unconfinedPaths = false
  const labels: string[] = []
  for (const option of options ?? []) {
    const [name, value] = split(option)
    switch (name) {
      case "no-new-privileges":
        noNewPrivileges = value === undefined ? true : parseBoolean(value, option)
        break
      case "writable-cgroups":
        writableCgroups = value === undefined ? true : parseBoolean(value, option)
        break
      case "seccomp":
        seccomp = value ?? fail(option)
        break
      case "apparmor":
        apparmor = value ?? fail(option)
        break
      case "systempaths":
        if (value !== "unconfined") fail(option)
        unconfinedPaths = true
        break
      case "label":
        labels.push(value ?? fail(option))
        break
      case "disable":
        labels.push(value === undefined ? "disable" : fail(option))
        break
      default:
        fail(option)
    }
  }
  return { noNewPrivileges, seccomp, apparmor, writableCgroups, unconfinedPaths, labels }
}

function split(option: string): readonly [string, string | undefined] {
  const equals = option.indexOf("=")
  const at = equals >= 0 ? equals : option.indexOf(":")
  return at < 0 ? [option, undefined] : [option.slice(0, at), option.slice(at + 1)]
}

/** What Go's strconv.ParseBool takes. */
function parseBoolean(text: string, option: string): boolean {
  if (/^(?:1|t|T|TRUE|true|True)$/.test(text)) return true
  if (/^(?:0|f|F|FALSE|false|False)$/.test(text)) return false
  return fail(option)
}

function fail(option: string): never {
  // Docker numbers its two sentences: a word without a value, and a name or value that is not known.
  const number = /[=:]/.test(option) ? 2 : 1
  throw new DhowError("invalid", `invalid --security-opt ${number}: ${JSON.stringify(option.slice(0, 200))}`)
}
