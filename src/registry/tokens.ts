// Bearer tokens: asked for at the place that the registry names, kept until shortly before they expire. Never in a
// message, never on disk.
import { DhowError } from "../lib/errors.ts"
import { refusalOf } from "./answer-error.ts"
import type { Challenge } from "./challenge.ts"
import { basicHeader, type Credentials } from "./credentials.ts"
import { type Answer, type Ask, exchange } from "./exchange.ts"
import { readJson } from "./read.ts"

type Token = { readonly header: string; readonly expires: number }
type Asking = Pick<Ask, "tls" | "patience" | "signal"> & {
  readonly scopes: readonly string[]
  readonly credentials: Credentials | undefined
  /** The registry that sent the challenge. */
  readonly from: URL
  readonly logIn: string | undefined
  /** Asks for an identity token too, and takes it. */
  readonly onIdentityToken?: (token: string) => void
}

const LIMIT = 1 << 20
const KEPT = 256
const LEAST_SECONDS = 60

export class Tokens {
  readonly #kept = new Map<string, Token>()

  cached(key: string): string | undefined {
    const token = this.#kept.get(key)
    if (token === undefined || token.expires > Date.now()) return token?.header
    this.#kept.delete(key)
    return undefined
  }

  forget(key: string): void {
    this.#kept.delete(key)
  }

  /** The Authorization header for `scopes`, from the realm of the challenge. */
  async fetch(key: string, challenge: Challenge, options: Asking): Promise<string> {
    const realm = realmOf(challenge, options.from)
    const answer = await ask(realm, challenge, options)
    if (answer.status !== 200) throw await refusalOf("GET", answer, options.logIn)
    const value = (await readJson(answer, LIMIT)) as Record<string, unknown>
    const text = value?.["token"] ?? value?.["access_token"]
    if (typeof text !== "string" || !/^[\x21-\x7e]+$/.test(text))
      throw new DhowError("unavailable", `The token server of registry "${options.from.host}" sent no token`)
    const identity = value["refresh_token"]
    if (typeof identity === "string" && identity !== "") options.onIdentityToken?.(identity)
    const seconds = Math.max(Number(value["expires_in"]) || 0, LEAST_SECONDS)
    const token = { header: `Bearer ${text}`, expires: Date.now() + seconds * 900 }
    this.#kept.set(key, token)
    if (this.#kept.size > KEPT) this.#kept.delete(this.#kept.keys().next().value as string)
    return token.header
  }
}

/** Whoever answers for the registry chooses the realm, so it must be as well protected as the registry itself. */
function realmOf({ parameters }: Challenge, from: URL): URL {
  const realm = parameters["realm"] ?? ""
  const url = URL.canParse(realm) ? new URL(realm) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || (from.protocol === "https:" && url.protocol !== "https:"))
    throw new DhowError("unavailable", `Registry "${from.host}" names no place to get a token from`)
  return url
}

function ask(realm: URL, { parameters }: Challenge, options: Asking): Promise<Answer> {
  const { credentials, scopes, signal, patience } = options
  const tls = realm.host === options.from.host && options.tls !== undefined ? { tls: options.tls } : {}
  const service = parameters["service"] ?? ""
  if (credentials?.identityToken !== undefined) {
    const form = new URLSearchParams({
      grant_type: "refresh_token",
      refresh_token: credentials.identityToken,
      service,
      client_id: "dhow",
      scope: scopes.join(" "),
    })
    const headers = { "Content-Type": "application/x-www-form-urlencoded" }
    return exchange({
      method: "POST",
      url: realm,
      headers,
      body: Buffer.from(form.toString()),
      patience,
      signal,
      ...tls,
    })
  }
  const url = new URL(realm)
  if (service !== "") url.searchParams.set("service", service)
  for (const scope of scopes) url.searchParams.append("scope", scope)
  if (options.onIdentityToken !== undefined) {
    url.searchParams.set("offline_token", "true")
    url.searchParams.set("client_id", "dhow")
  }
  if (credentials?.username === undefined) return exchange({ method: "GET", url, patience, signal, ...tls })
  url.searchParams.set("account", credentials.username)
  return exchange({
    method: "GET",
    url,
    headers: { Authorization: basicHeader(credentials) },
    patience,
    signal,
    ...tls,
  })
}
