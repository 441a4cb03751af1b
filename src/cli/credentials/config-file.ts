// The user's configuration, which dhow shares with docker's client: config.json in $DOCKER_CONFIG or ~/.docker. Whatever
// else is in it stays there, and a file that cannot be read is never written over.
import { lstatSync, mkdirSync, readlinkSync, statSync } from "node:fs"
import { homedir } from "node:os"
import { dirname, join, resolve } from "node:path"
import { DhowError } from "../../lib/errors.ts"
import { readIfExists, writeDurably } from "../../lib/files.ts"

/** One registry's entry under "auths". */
export type AuthEntry = {
  /** base64 of "user:password" */
  readonly auth?: string
  readonly username?: string
  readonly password?: string
  readonly identitytoken?: string
  readonly registrytoken?: string
}

export type UserConfig = {
  readonly auths?: Readonly<Record<string, AuthEntry>>
  readonly credsStore?: string
  readonly credHelpers?: Readonly<Record<string, string>>
  readonly [other: string]: unknown
}

export function configPath(environment: NodeJS.ProcessEnv = process.env): string {
  const directory = environment["DOCKER_CONFIG"] || join(environment["HOME"] || homedir(), ".docker")
  return join(directory, "config.json")
}

/** Empty where there is none. */
export function readConfig(path: string): UserConfig {
  let text: string | undefined
  try {
    text = readIfExists(path)
  } catch (cause) {
    throw new DhowError("invalid", `Cannot read the configuration file "${path}"`, { cause })
  }
  if (text === undefined || text.trim() === "") return {}
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new DhowError("invalid", `Configuration file "${path}" is not JSON`, { cause })
  }
  if (!isRecord(value)) throw new DhowError("invalid", `Configuration file "${path}" is not a JSON object`)
  const { auths, credsStore, credHelpers } = value
  if (auths !== undefined && auths !== null && !(isRecord(auths) && Object.values(auths).every(isRecord)))
    throw new DhowError("invalid", `Configuration file "${path}": "auths" is not an object of objects`)
  if (credsStore !== undefined && typeof credsStore !== "string")
    throw new DhowError("invalid", `Configuration file "${path}": "credsStore" is not a string`)
  if (credHelpers !== undefined && credHelpers !== null && !isTexts(credHelpers))
    throw new DhowError("invalid", `Configuration file "${path}": "credHelpers" is not an object of strings`)
  return value as UserConfig
}

/** Replaces the file at once; its mode and owner stay, and a link is followed, also to where nothing is yet. */
export function writeConfig(path: string, config: UserConfig): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const target = linkTarget(path)
    const status = statSync(target, { throwIfNoEntry: false })
    writeDurably(target, JSON.stringify(config, undefined, "\t"), {
      mode: (status?.mode ?? 0o600) & 0o777,
      ...(status === undefined ? {} : { owner: { uid: status.uid, gid: status.gid } }),
    })
  } catch (cause) {
    throw new DhowError("invalid", `Cannot write the configuration file "${path}"`, { cause })
  }
}

function linkTarget(path: string): string {
  let at = path
  for (let hops = 0; hops < 40; hops++) {
    if (lstatSync(at, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return at
    at = resolve(dirname(at), readlinkSync(at))
  }
  throw new DhowError("invalid", `Too many links from "${path}"`)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function isTexts(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.values(value).every((one) => typeof one === "string")
}
