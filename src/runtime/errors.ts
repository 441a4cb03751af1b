// What crun and runc say when they cannot make a container, in Docker's words and with Docker's exit status. The docker
// CLI tells 127 and 126 apart by phrases in the text ("executable file not found", "no such file or directory",
// "permission denied"), so those phrases are kept.
import { DhowError, type DhowErrorOptions } from "../lib/errors.ts"
import { log } from "../lib/log.ts"

export const CREATE_FAILED = "OCI runtime create failed: unable to start container process"
export const EXEC_FAILED = "OCI runtime exec failed: exec failed: unable to start container process"

export type RuntimeFailure = {
  /** "create" for a container's own process, "exec" for a further one. */
  readonly verb: "create" | "exec"
  /** The first word of the command, as asked for. */
  readonly command?: string | undefined
}

/** The error to throw when `runtime create` or `runtime exec` failed with this text on its standard error. */
export function runtimeError(stderr: string, failure: RuntimeFailure): DhowError {
  const text = plainMessage(stderr)
  // Not kept as the cause: it says the same in other words, and causes are shown to the user.
  log.debug("runtime failed", { text })
  const prefix = failure.verb === "exec" ? EXEC_FAILED : CREATE_FAILED
  const named = failure.command ?? ""
  const fail = (detail: string, options: DhowErrorOptions = {}): DhowError =>
    new DhowError("invalid", `${prefix}: ${detail}`, options)

  const missing =
    /executable file [`'"](.*?)[`'"] not found/.exec(text)?.[1] ??
    /exec: \\?"(.*?)\\?": (?:executable file not found|stat .*no such file)/.exec(text)?.[1]
  if (missing !== undefined) {
    const name = named || missing
    return name.includes("/")
      ? fail(`exec: "${name}": stat ${name}: no such file or directory`, { exitCode: 127 })
      : fail(`exec: "${name}": executable file not found in $PATH`, { exitCode: 127 })
  }
  if (
    /open executable: |the path .* (?:exists but it is not executable|is not a regular file)|exec: .*permission denied/i.test(
      text,
    )
  )
    return fail(`exec: "${named || (/exec: \\?"(.*?)\\?"/.exec(text)?.[1] ?? "")}": permission denied`, {
      exitCode: 126,
      hint: "The file is not executable, or a directory",
    })
  const chdir =
    /chdir (?:to )?[`'"](.*?)[`'"]: (.*)|chdir to cwd \(\\?"(.*?)\\?"\).*: (.*)|mkdir (\/[^:]*): (not a directory)/.exec(
      text,
    )
  if (chdir !== null) {
    const path = chdir[1] ?? chdir[3] ?? chdir[5] ?? ""
    const why = (chdir[2] ?? chdir[4] ?? chdir[6] ?? "").toLowerCase()
    return fail(`cannot enter the working directory "${path}": ${why}`, {
      exitCode: why.includes("permission denied") ? 126 : 127,
    })
  }
  const source =
    /(?:error stat'ing file|cannot stat|open_tree) [`'"](.*?)[`'"]: No such file|stat (\/.*?): no such file or directory/.exec(
      text,
    )
  if (source !== null && !text.includes("exec:")) {
    const path = source[1] ?? source[2]
    return fail(`error mounting "${path}": stat ${path}: no such file or directory`, {
      exitCode: 127,
      hint: "The bind mount's source is missing on the host",
    })
  }
  const mount =
    /(?:move )?mount [`'"](.*?)[`'"] to [`'"](.*?)[`'"]: (.*)/.exec(text) ??
    /error mounting \\?"(.*?)\\?" to rootfs at \\?"(.*?)\\?": .*: (.*)$/.exec(text)
  if (mount !== null) {
    const [, from = "", to = "", why = ""] = mount
    const target = to.startsWith("/") ? to : `/${to}`
    const kind = /not a directory/i.test(why)
      ? {
          exitCode: 127,
          hint: "Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type",
        }
      : {}
    return fail(`error mounting "${from}" to rootfs at "${target}": ${why.trim().toLowerCase()}`, kind)
  }
  if (/no space left on device/i.test(text))
    return new DhowError("unavailable", `${prefix}: no space left on device`, {
      hint: "Free some space below the data root or the runtime directory",
    })
  if (/cgroups? in hybrid mode not supported/.test(text))
    return new DhowError("unavailable", `${prefix}: ${text}`, {
      hint: "Mount the missing cgroup v1 hierarchies, or use --runtime runc",
    })
  if (/setrlimit .*MEMLOCK.*not permitted/.test(text))
    return new DhowError("unavailable", `${prefix}: ${text}`, {
      hint: "This crun needs CAP_SYS_RESOURCE to guard devices with cgroup v2; use --runtime runc",
    })
  if (/cpu\.rt_(?:runtime|period)_us/.test(text))
    return fail(text, {
      ...exitCodeOf(text),
      hint: "The cgroup above has no real-time budget to give: write its cpu.rt_period_us and cpu.rt_runtime_us first",
    })
  return fail(text === "" ? "the runtime gave no reason" : text, exitCodeOf(text))
}

/** Docker's status for a text that no rule above knows. */
function exitCodeOf(text: string): DhowErrorOptions {
  if (/executable file not found|no such file or directory/i.test(text)) return { exitCode: 127 }
  if (/permission denied|is a directory/i.test(text)) return { exitCode: 126 }
  return {}
}

/** The last message of the runtime, out of crun's plain lines, runc's logfmt, or either's JSON; one line, bounded. */
export function plainMessage(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "")
  const errors = lines
    .map(messageOf)
    .filter(({ level }) => level !== "warning" && level !== "debug" && level !== "info")
  const last = errors.at(-1)?.message ?? lines.at(-1) ?? ""
  return last
    .replace(/^(?:runc|crun) (?:run|create|exec|start) failed: /, "")
    .replace(/^(?:unable to start container process|exec failed): /, "")
    .replace(/^unable to start container process: /, "")
    .trim()
    .slice(0, 2000)
}

function messageOf(line: string): { readonly level: string; readonly message: string } {
  if (line.startsWith("{")) {
    try {
      const value = JSON.parse(line) as { level?: unknown; msg?: unknown }
      if (typeof value.msg === "string") return { level: String(value.level ?? "error"), message: value.msg }
    } catch {
      // A plain line that happens to start with a brace.
    }
  }
  const logfmt = /level=(\w+) msg=("(?:[^"\\]|\\.)*"|\S+)/.exec(line)
  if (logfmt !== null) {
    const [, level = "", quoted = ""] = logfmt
    return { level, message: quoted.startsWith('"') ? unquote(quoted) : quoted }
  }
  // crun without a terminal stamps its lines: "2026-01-01T00:00:00.000000Z: text".
  return { level: "error", message: line.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z: /, "") }
}

function unquote(quoted: string): string {
  try {
    return JSON.parse(quoted) as string
  } catch {
    return quoted.slice(1, -1)
  }
}
