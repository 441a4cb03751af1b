// Opens a project: finds its files and its environment, and loads them.
import { dirname, isAbsolute, join, resolve } from "node:path"
import { DhowError } from "../lib/errors.ts"
import { checkConsistency } from "./consistency.ts"
import { parseEnvFile } from "./env-file.ts"
import type { Files } from "./files.ts"
import { interpolate } from "./interpolate.ts"
import { loadTree } from "./load.ts"
import type { Project } from "./model.ts"
import { child, textOf } from "./node.ts"
import { normalize, selectProfiles, withoutUnused } from "./normalize.ts"
import { parseFile } from "./parse.ts"
import { checkedName, nameOfDirectory } from "./project-name.ts"

export type OpenOptions = {
  readonly files: Files
  /** Where the user is. */
  readonly directory: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly paths?: readonly string[]
  readonly projectDirectory?: string | undefined
  readonly name?: string | undefined
  readonly profiles?: readonly string[]
  readonly envFiles?: readonly string[]
  /** Services that are wanted whatever their profiles. */
  readonly named?: readonly string[]
  readonly raw?: boolean
  readonly keepPaths?: boolean
  readonly keepEnvFiles?: boolean
  readonly keepUnused?: boolean
  readonly unchecked?: boolean
  readonly onMissing?: (name: string) => void
}

export const DEFAULT_FILES = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"]

/** Files, project directory and environment, before anything is loaded. */
export type Found = {
  readonly paths: readonly string[]
  readonly directory: string
  readonly environment: ReadonlyMap<string, string>
}

export function findProject(options: OpenOptions): Found {
  const outer = new Map(
    Object.entries(options.environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
  const given = options.paths ?? []
  const asked =
    options.projectDirectory === undefined ? undefined : resolve(options.directory, options.projectDirectory)
  const firstDirectory = (paths: readonly string[]): string =>
    paths[0] === undefined || paths[0] === "-" ? options.directory : dirname(paths[0])
  const absolutePaths = (paths: readonly string[], base: string): string[] =>
    paths.map((path) => (path === "-" || isAbsolute(path) ? path : join(base, path)))
  let paths = absolutePaths(given, options.directory)
  // The .env file may say which compose files there are.
  const early = readEnvironment(options, outer, asked ?? firstDirectory(paths))
  const variable = early.get("COMPOSE_FILE")
  if (paths.length === 0 && variable !== undefined && variable !== "")
    paths = absolutePaths(variable.split(early.get("COMPOSE_PATH_SEPARATOR") || ":"), asked ?? options.directory)
  if (paths.length === 0) paths = searchFiles(options.files, asked ?? options.directory)
  const directory = asked ?? firstDirectory(paths)
  const environment = directory === options.directory ? early : readEnvironment(options, outer, directory)
  return { paths, directory, environment }
}

/** In this directory or one above; with its override file. */
function searchFiles(files: Files, directory: string): string[] {
  for (let at = directory; ; at = dirname(at)) {
    const found = DEFAULT_FILES.map((name) => join(at, name)).find((path) => files.read(path) !== undefined)
    if (found !== undefined) {
      const override = [".override.yml", ".override.yaml"]
        .flatMap((end) => ["compose", "docker-compose"].map((start) => join(at, `${start}${end}`)))
        .find((path) => files.read(path) !== undefined)
      return override === undefined ? [found] : [found, override]
    }
    if (at === dirname(at)) return []
  }
}

function readEnvironment(
  options: OpenOptions,
  outer: ReadonlyMap<string, string>,
  directory: string,
): Map<string, string> {
  const environment = new Map<string, string>()
  if (!/^(?:1|t|true)$/i.test(outer.get("COMPOSE_DISABLE_ENV_FILE") ?? "")) {
    const variable =
      outer
        .get("COMPOSE_ENV_FILES")
        ?.split(",")
        .filter((path) => path !== "") ?? []
    const given = (options.envFiles?.length ?? 0) > 0 ? options.envFiles! : variable
    const paths = given.length > 0 ? given.map((path) => resolve(options.directory, path)) : [join(directory, ".env")]
    for (const path of paths) {
      const text = options.files.read(path)
      if (text === undefined) {
        if (given.length > 0) throw new DhowError("not-found", `couldn't find env file: ${path}`)
        continue
      }
      const lookup = (name: string): string | undefined => outer.get(name) ?? environment.get(name)
      for (const [name, value] of parseEnvFile(text, path, { lookup })) environment.set(name, value)
    }
  }
  for (const [name, value] of outer) environment.set(name, value)
  return environment
}

export function openProject(options: OpenOptions): Project {
  const found = findProject(options)
  if (found.paths.length === 0)
    throw new DhowError("not-found", "no configuration file provided: not found", {
      exitCode: 14,
      hint: `Write a compose.yaml, or name one with --file`,
    })
  const name = projectName(options, found)
  const environment = new Map([...found.environment, ["COMPOSE_PROJECT_NAME", name]])
  const tree = loadTree(found.paths, {
    files: options.files,
    directory: found.directory,
    lookup: (variable) => environment.get(variable),
    ...(options.raw === undefined ? {} : { raw: options.raw }),
    ...(options.keepPaths === undefined ? {} : { keepPaths: options.keepPaths }),
    ...(options.onMissing === undefined ? {} : { onMissing: options.onMissing }),
  })
  const all = normalize(tree, {
    name,
    directory: found.directory,
    paths: found.paths,
    environment,
    files: options.files,
    keepEnvFiles: options.keepEnvFiles === true,
  })
  const profiles = options.profiles?.length ? options.profiles : profilesOf(found.environment)
  const selected = selectProfiles(all, profiles, withNamed(all, options.named ?? []))
  if (options.unchecked !== true) checkConsistency(selected, tree)
  return options.keepUnused === true ? selected : withoutUnused(selected)
}

/** A service that is asked for by name is on whatever its profiles; unknown ones are refused where they are used. */
function withNamed(project: Project, named: readonly string[]): readonly string[] {
  return named.filter((name) => Object.hasOwn(project.services, name))
}

export function profilesOf(environment: ReadonlyMap<string, string>): string[] {
  return (environment.get("COMPOSE_PROFILES") ?? "").split(",").filter((profile) => profile !== "")
}

export function projectName(options: OpenOptions, found: Found): string {
  const given = options.name ?? (found.environment.get("COMPOSE_PROJECT_NAME") || undefined)
  if (given !== undefined && given !== "") return checkedName(given)
  let inFile: string | undefined
  for (const path of found.paths)
    for (const document of parseFile(options.files.read(path) ?? "", path)) {
      const name = textOf(child(document, "name"))
      if (name !== undefined) inFile = interpolate(name, (variable) => found.environment.get(variable))
    }
  return inFile === undefined || inFile === "" ? nameOfDirectory(found.directory) : checkedName(inFile)
}
