// Where the configuration comes from, weakest first: defaults, Docker's daemon.json, dhow's own file, the environment, the
// flags. Reads them all and says of every key what holds and who said so.
import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import { DhowError, describeError, errnoName } from "../lib/errors.ts"
import type { ConfigOrigin } from "../wire/config.ts"
import { NO_FILE, type PassedOver, type ReadFile, readSettings } from "./file.ts"
import { readFlags } from "./flags.ts"
import { JOINED, KEYS } from "./keys.ts"

const OWN_FILE = "/etc/dhow/daemon.json"
const DOCKER_FILE = "/etc/docker/daemon.json"
const EMPTY_PATH = ""

export type Setting = { readonly value: unknown; readonly origins: readonly ConfigOrigin[] }
export type Settings = ReadonlyMap<string, Setting>

export type Sources = {
  readonly file: string
  /** Empty where Docker's file is not read. */
  readonly dockerFile: string
  readonly flags: ReadonlyMap<string, unknown>
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly validate: boolean
}

export type Gathered = {
  readonly settings: Settings
  readonly passedOver: readonly (PassedOver & { readonly file: string })[]
  /** What is wrong with Docker's file as a whole; dhow goes on without it. */
  readonly problem: string | undefined
}

export function sourcesOf(args: readonly string[], environment: Sources["environment"]): Sources {
  const flags = readFlags(args)
  const file = resolve(flags.configFile ?? environment["DHOW_CONFIG"] ?? OWN_FILE)
  const docker = flags.dockerConfigFile ?? environment["DHOW_DOCKER_CONFIG"] ?? DOCKER_FILE
  if (flags.configFile !== undefined && readBytes(file) === undefined)
    throw new DhowError("invalid", `Configuration file "${flags.configFile}" does not exist`)
  const dockerFile = docker === EMPTY_PATH || resolve(docker) === file ? EMPTY_PATH : resolve(docker)
  return { file, dockerFile, flags: flags.values, environment, validate: flags.validate }
}

/** `ownText` stands for the file that could be written. */
export function gather(sources: Sources, ownText?: Uint8Array): Gathered {
  const own = ownText === undefined ? readIfThere(sources.file, "dhow") : readSettings(sources.file, ownText, "dhow")
  const { read: docker, problem } = readDocker(sources.dockerFile)
  const settings = new Map<string, Setting>()
  for (const [key, known] of Object.entries(KEYS)) {
    const given: { readonly value: unknown; readonly origin: ConfigOrigin }[] = []
    if (known.fallback !== undefined) given.push({ value: known.fallback, origin: { Kind: "default" } })
    const [theirs, ours] = [docker.values.get(key), own.values.get(key)]
    if (theirs !== undefined)
      given.push({ value: theirs.value, origin: { Kind: "daemon.json", File: sources.dockerFile, Line: theirs.line } })
    if (ours !== undefined)
      given.push({ value: ours.value, origin: { Kind: "file", File: sources.file, Line: ours.line } })
    const variable = known.environment
    const named = variable === undefined ? undefined : sources.environment[variable]
    if (variable !== undefined && named) given.push({ value: named, origin: { Kind: "environment", Name: variable } })
    if (sources.flags.has(key))
      given.push({ value: sources.flags.get(key), origin: { Kind: "flag", Name: `--${known.flag ?? key}` } })
    const setting = settle(key, given)
    if (setting !== undefined) settings.set(key, setting)
  }
  forgetForeignLogOptions(settings)
  return {
    settings,
    problem,
    passedOver: [
      ...docker.passedOver.map((entry) => ({ ...entry, file: sources.dockerFile })),
      ...own.passedOver.map((entry) => ({ ...entry, file: sources.file })),
    ],
  }
}

/** The strongest holds; lists and tables of the flags are joined with what the files say. */
function settle(
  key: string,
  given: readonly { readonly value: unknown; readonly origin: ConfigOrigin }[],
): Setting | undefined {
  const strongest = given.at(-1)
  if (strongest === undefined) return undefined
  const below = given.at(-2)
  if (strongest.origin.Kind !== "flag" || !JOINED.has(key) || below === undefined || below.origin.Kind === "default")
    return { value: strongest.value, origins: [strongest.origin] }
  const value =
    Array.isArray(below.value) && Array.isArray(strongest.value)
      ? [...below.value, ...strongest.value]
      : { ...(below.value as object), ...(strongest.value as object) }
  return { value, origins: [below.origin, strongest.origin] }
}

/** Options were written for the driver beside them: those of Docker's file say nothing to a driver chosen elsewhere. */
function forgetForeignLogOptions(settings: Map<string, Setting>): void {
  const driver = settings.get("log-driver")?.origins.at(-1)?.Kind
  const options = settings.get("log-opts")?.origins.at(-1)?.Kind
  if (options === "daemon.json" && driver !== "daemon.json" && driver !== undefined)
    settings.set("log-opts", { value: {}, origins: [{ Kind: "default" }] })
}

function readDocker(path: string): { readonly read: ReadFile; readonly problem: string | undefined } {
  if (path === EMPTY_PATH) return { read: NO_FILE, problem: undefined }
  try {
    return { read: readIfThere(path, "docker"), problem: undefined }
  } catch (error) {
    return { read: NO_FILE, problem: describeError(error) }
  }
}

function readIfThere(path: string, whose: "dhow" | "docker"): ReadFile {
  const bytes = readBytes(path)
  return bytes === undefined ? NO_FILE : readSettings(path, bytes, whose)
}

function readBytes(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path)
  } catch (cause) {
    const name = errnoName(cause)
    if (name === "ENOENT" || name === "ENOTDIR") return undefined
    throw new DhowError("invalid", `Cannot read the configuration file "${path}"`, { cause })
  }
}
