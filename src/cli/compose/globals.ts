// The flags before a subcommand of compose, and the project that they name.
import { readFileSync } from "node:fs"
import type { Files } from "../../compose/files.ts"
import type { Project } from "../../compose/model.ts"
import { type OpenOptions, openProject } from "../../compose/project.ts"
import { DhowError, errnoName } from "../../lib/errors.ts"
import type { Context } from "../command.ts"
import { boolean, type FlagValues, list, string } from "../flags/flags.ts"
import { printError } from "../output.ts"

const oneOf =
  (...words: readonly string[]) =>
  (text: string): string => {
    if (words.includes(text)) return text
    throw new Error(`expected one of ${words.join(", ")}`)
  }

export const globalFlags = {
  "all-resources": boolean("", "Also what no service uses"),
  ansi: string("", 'When to use colours ("never", "always", "auto")', {
    default: "auto",
    check: oneOf("never", "always", "auto"),
  }),
  builtin: boolean("", "Not docker's compose plugin, even if it is installed"),
  "env-file": list("", "Read variables from this file instead of .env"),
  file: list("f", "Compose file; of several, later ones add and override"),
  profile: list("", "Also the services of this profile"),
  progress: string("", "How to show progress (auto, plain, quiet)", {
    default: "auto",
    check: oneOf("auto", "plain", "quiet"),
  }),
  "project-directory": string("", "Where relative paths start (default: the first file's)"),
  "project-name": string("p", "Name of the project"),
  version: boolean("v", "Show the version", { hidden: true }),
} as const

export type Globals = FlagValues<typeof globalFlags>

export function globalsOf(context: Context): Globals {
  if (context.globals === undefined) throw new DhowError("internal", "compose was called without its global flags")
  const flags = context.globals as Globals
  // Flags win over the environment.
  return {
    ...flags,
    ansi: flags.ansi ?? process.env["COMPOSE_ANSI"],
    progress: flags.progress ?? process.env["COMPOSE_PROGRESS"],
  }
}

/** Standard input can be read only once. */
let standardInput: string | undefined

export const diskFiles: Files = {
  read(path) {
    if (path === "-") {
      standardInput ??= readFileSync(0, "utf8")
      return standardInput
    }
    try {
      return readFileSync(path, "utf8")
    } catch (error) {
      if (["ENOENT", "ENOTDIR", "EISDIR"].includes(errnoName(error) ?? "")) return undefined
      throw new DhowError("invalid", `Cannot read "${path}"`, { cause: error })
    }
  },
}

export type ProjectOptions = Omit<Partial<OpenOptions>, "files" | "directory" | "environment">

export function optionsOf(context: Context, more: ProjectOptions = {}): OpenOptions {
  const flags = globalsOf(context)
  const warned = new Set<string>()
  return {
    files: diskFiles,
    directory: process.cwd(),
    environment: process.env,
    paths: flags.file,
    projectDirectory: flags["project-directory"],
    name: flags["project-name"],
    profiles: flags.profile,
    envFiles: flags["env-file"],
    keepUnused: flags["all-resources"] === true,
    onMissing(name) {
      if (warned.has(name)) return
      warned.add(name)
      printError(`WARN: The ${JSON.stringify(name)} variable is not set. Defaulting to a blank string.`)
    },
    ...more,
  }
}

export function loadProject(context: Context, more: ProjectOptions = {}): Project {
  return openProject(optionsOf(context, more))
}

/** Refuses names that no service has. */
export function checkServices(project: Project, names: readonly string[]): void {
  for (const name of names)
    if (!Object.hasOwn(project.services, name)) throw new DhowError("not-found", `no such service: ${name}`)
}
