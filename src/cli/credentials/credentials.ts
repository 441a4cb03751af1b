// Who the user is to a registry: asked for, kept and forgotten in the places that docker's client uses, in its order.
// $DOCKER_AUTH_CONFIG first, then the credential helper or the file itself; podman's logins last, and only for reading.
import { DhowError } from "../../lib/errors.ts"
import { parseReference } from "../../oci/reference.ts"
import type { AuthConfig } from "../../wire/registry.ts"
import { printError } from "../output.ts"
import { HUB_KEY, hostOf, keyOf } from "./address.ts"
import { type AuthEntry, configPath, readConfig, type UserConfig, writeConfig } from "./config-file.ts"
import { eraseFromHelper, getFromHelper, storeInHelper } from "./helper.ts"
import { findPodmanEntry } from "./podman.ts"

export const ENVIRONMENT_KEY = "DOCKER_AUTH_CONFIG"
/** Made here, so nobody is asked. */
const LOCAL = "distro.local"

/** The header X-Registry-Auth for an image's registry; undefined where nothing is known, as for most. */
export function authForImage(name: string): string | undefined {
  const { domain, path } = parseReference(name)
  if (domain === LOCAL) return undefined
  return authHeader(find(keyOf(domain), `${domain}/${path}`))
}

/** The header X-Registry-Config for several images: what is known of their registries, by name. */
export function authsForImages(names: readonly string[]): string | undefined {
  const found: Record<string, AuthConfig> = {}
  for (const name of names) {
    const { domain, path } = parseReference(name)
    const key = keyOf(domain)
    if (domain === LOCAL || Object.hasOwn(found, key)) continue
    const auth = find(key, `${domain}/${path}`)
    if (auth !== undefined) found[key] = auth
  }
  return Object.keys(found).length === 0 ? undefined : Buffer.from(JSON.stringify(found)).toString("base64url")
}

/** For the registry that a search is about; whatever is wrong with what is stored, the search goes on without. */
export function authForSearch(term: string): string | undefined {
  const [first = ""] = term.split("/", 1)
  const isNamed = term.includes("/") && (/[.:]/.test(first) || first === "localhost")
  try {
    return authHeader(findCredentials(isNamed ? keyOf(first) : HUB_KEY))
  } catch {
    return undefined
  }
}

/** For a registry by its address, as `dhow login` takes it. */
export function findCredentials(server: string): AuthConfig | undefined {
  return find(server, server === HUB_KEY ? "docker.io" : server)
}

export function authHeader(auth: AuthConfig | undefined): string | undefined {
  return auth === undefined ? undefined : Buffer.from(JSON.stringify(auth)).toString("base64url")
}

function find(server: string, podmanName: string): AuthConfig | undefined {
  const fromEnvironment = environmentAuths()?.[server]
  if (fromEnvironment !== undefined) return authOf(fromEnvironment, server)
  const config = orWarn(() => readConfig(configPath()), {} as UserConfig)
  const helper = helperFor(config, server)
  if (helper !== undefined) {
    const found = getFromHelper(helper, server)
    if (found !== undefined) return found
  }
  const auth = authOf(entryFor(config, server), server)
  if (auth !== undefined || helper !== undefined) return auth
  return authOf(
    orWarn(() => findPodmanEntry(podmanName, process.env), undefined),
    server,
  )
}

/** What a helper keeps, it keeps; the file holds the rest. Returns the path where a password lies in plain sight now. */
export function storeCredentials(server: string, auth: AuthConfig): string | undefined {
  const path = configPath()
  const read = readConfig(path)
  const config = holdsNothing(read) ? { ...read, ...usualStore() } : read
  const helper = helperFor(config, server)
  if (helper !== undefined) storeInHelper(helper, server, auth)
  const entry: AuthEntry = helper === undefined ? entryOf(auth) : {}
  if (JSON.stringify(entryFor(config, server)) === JSON.stringify(entry)) return undefined
  writeConfig(path, { ...config, auths: { ...config.auths, [server]: entry } })
  return helper === undefined && auth.password !== undefined ? path : undefined
}

export function eraseCredentials(server: string): void {
  const path = configPath()
  const config = readConfig(path)
  const helper = helperFor(config, server)
  if (helper !== undefined) eraseFromHelper(helper, server)
  if (config.auths == null || !Object.hasOwn(config.auths, server)) return
  const { [server]: _gone, ...auths } = config.auths
  writeConfig(path, { ...config, auths })
}

/** A file that is broken must not stop a pull that needs no password. */
function orWarn<T>(read: () => T, otherwise: T): T {
  try {
    return read()
  } catch (error) {
    printError(`WARNING: Error loading config file: ${(error as Error).message}`)
    return otherwise
  }
}

function environmentAuths(): Readonly<Record<string, AuthEntry>> | undefined {
  const text = process.env[ENVIRONMENT_KEY]
  if (text === undefined || text === "") return undefined
  try {
    const { auths } = JSON.parse(text) as { auths?: Record<string, AuthEntry> }
    for (const [server, entry] of Object.entries(auths ?? {}))
      if (typeof entry?.auth !== "string" || splitAuth(entry.auth) === undefined)
        throw new DhowError("invalid", `${ENVIRONMENT_KEY} holds no credentials for ${server}`)
    return auths
  } catch (error) {
    printError(`Failed to create credential store from ${ENVIRONMENT_KEY}:  ${(error as Error).message}`)
    return undefined
  }
}

function helperFor({ credHelpers, credsStore }: UserConfig, server: string): string | undefined {
  const own = credHelpers != null && Object.hasOwn(credHelpers, server) ? credHelpers[server] : undefined
  return own || credsStore || undefined
}

/** Older clients kept whole addresses: "https://registry.example.com/v1/". */
function entryFor({ auths }: UserConfig, server: string): AuthEntry | undefined {
  if (auths == null) return undefined
  if (Object.hasOwn(auths, server)) return auths[server]
  return Object.entries(auths).find(([key]) => hostOf(key) === server)?.[1]
}

function authOf(entry: AuthEntry | undefined, server: string): AuthConfig | undefined {
  if (entry === undefined) return undefined
  const { auth, identitytoken, registrytoken } = entry
  const joined = auth === undefined || auth === "" ? undefined : splitAuth(auth)
  if (auth && joined === undefined) {
    printError(`WARNING: The stored credentials of ${server} cannot be read`)
    return undefined
  }
  const { username, password } = joined ?? entry
  if (!username && !identitytoken && !registrytoken) return undefined
  return {
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
    serveraddress: server,
    ...(identitytoken ? { identitytoken } : {}),
    ...(registrytoken ? { registrytoken } : {}),
  }
}

function entryOf({ username = "", password = "", identitytoken, registrytoken }: AuthConfig): AuthEntry {
  const isNamed = username !== "" || password !== ""
  return {
    ...(isNamed ? { auth: Buffer.from(`${username}:${password}`).toString("base64") } : {}),
    ...(identitytoken === undefined ? {} : { identitytoken }),
    ...(registrytoken === undefined ? {} : { registrytoken }),
  }
}

function splitAuth(text: string): { username: string; password: string } | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined
  const plain = Buffer.from(text, "base64").toString("utf8")
  const colon = plain.indexOf(":")
  if (colon < 1) return undefined
  return { username: plain.slice(0, colon), password: plain.slice(colon + 1).replace(/^\0+|\0+$/g, "") }
}

function holdsNothing({ auths, credsStore, credHelpers }: UserConfig): boolean {
  return !credsStore && Object.keys(credHelpers ?? {}).length === 0 && Object.keys(auths ?? {}).length === 0
}

/** The helper that docker takes up by itself where it is installed and nothing is kept elsewhere yet. */
function usualStore(): { readonly credsStore?: string } {
  const name = Bun.which("pass") === null ? "secretservice" : "pass"
  return Bun.which(`docker-credential-${name}`) === null ? {} : { credsStore: name }
}
