// Puts the program, its systemd units and its shell completions below a prefix, and takes them away again. Every file is
// replaced in one rename, so that a running daemon and a shell in the middle of a completion see old or new, never half.
import { chmodSync, copyFileSync, existsSync, readFileSync, renameSync, rmSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { DhowError, errnoName } from "../../lib/errors.ts"
import { ensureDirectory, syncDirectory, unlinkIfExists, writeDurably } from "../../lib/files.ts"
import { serviceUnit, socketUnit } from "./units.ts"

export type Shell = "bash" | "zsh" | "fish"

export type InstallOptions = {
  /** The one-file executable to install. */
  readonly program: string
  readonly prefix: string
  readonly completions: Readonly<Record<Shell, string>>
  readonly systemd: boolean
  readonly dockerSocket: boolean
}

export type Installed = { readonly files: readonly string[] }

const COMPLETIONS = {
  bash: "share/bash-completion/completions/dhow",
  zsh: "share/zsh/site-functions/_dhow",
  fish: "share/fish/vendor_completions.d/dhow.fish",
} as const satisfies Record<Shell, string>

export const PROGRAM = "bin/dhow"
/** Below /usr/local and /usr this is where systemd looks for units. */
const SERVICE = "lib/systemd/system/dhow.service"
const SOCKET = "lib/systemd/system/dhow.socket"

/** The path is systemd's own name of /var/run/docker.sock. */
export const DOCKER_SOCKET = "/run/docker.sock"
const GROUPS = ["dhow", "docker"]

export function install(options: InstallOptions): Installed {
  const at = (path: string): string => join(options.prefix, path)
  const files: string[] = []
  try {
    replaceProgram(options.program, at(PROGRAM))
    files.push(at(PROGRAM))
    for (const [shell, path] of Object.entries(COMPLETIONS) as [Shell, string][])
      files.push(put(at(path), options.completions[shell]))
    if (options.systemd) {
      const unit = {
        program: at(PROGRAM),
        sockets: options.dockerSocket ? [DOCKER_SOCKET] : [],
        group: firstGroup(readFileSync("/etc/group", "utf8")),
      }
      files.push(put(at(SERVICE), serviceUnit(unit)), put(at(SOCKET), socketUnit(unit)))
    }
  } catch (error) {
    throw explain(error, `Cannot install below "${options.prefix}"`)
  }
  return { files }
}

/** Removes what `install` puts there, in the reverse order; returns what was there. State and images stay. */
export function uninstall(prefix: string): Installed {
  const all = [SOCKET, SERVICE, ...Object.values(COMPLETIONS), PROGRAM].map((path) => join(prefix, path))
  const files = all.filter((path) => existsSync(path))
  try {
    for (const path of files) unlinkIfExists(path)
  } catch (error) {
    throw explain(error, `Cannot uninstall from "${prefix}"`)
  }
  return { files }
}

/** The first group of which members may use the socket, if the machine has one: as the daemon itself chooses. */
export function firstGroup(etcGroup: string): string | undefined {
  const names = new Set(etcGroup.split("\n").map((line) => line.split(":")[0]))
  return GROUPS.find((group) => names.has(group))
}

function put(path: string, text: string): string {
  ensureDirectory(dirname(path), 0o755)
  writeDurably(path, text, 0o644)
  return path
}

function replaceProgram(source: string, target: string): void {
  if (resolve(source) === resolve(target)) return
  ensureDirectory(dirname(target), 0o755)
  const temporary = `${target}.new-${process.pid}`
  try {
    // A hundred megabytes: copied by the kernel, and shared where the file system can.
    copyFileSync(source, temporary)
    chmodSync(temporary, 0o755)
    renameSync(temporary, target)
  } finally {
    rmSync(temporary, { force: true })
  }
  syncDirectory(dirname(target))
}

function explain(error: unknown, what: string): DhowError {
  const name = errnoName(error)
  if (name === "EACCES" || name === "EPERM")
    return new DhowError("forbidden", what, { cause: error, hint: "Run it as root, or give another --prefix" })
  return new DhowError("internal", what, { cause: error })
}
