// Requests to one repository at one endpoint: the scheme found out, who asks shown in the way the registry wants, what
// passes by itself tried again.
import { DhowError } from "../lib/errors.ts"
import { refusalOf } from "./answer-error.ts"
import { type Challenge, parseChallenges } from "./challenge.ts"
import { ConnectionError } from "./connection-error.ts"
import { basicHeader, type Credentials } from "./credentials.ts"
import type { Endpoint } from "./endpoints.ts"
import { type Answer, type Ask, type Body, exchange, placeOf } from "./exchange.ts"
import { type Reach, reach } from "./reach.ts"
import { delayBefore, isPassing, isWorthRetrying, type Pace, pause } from "./retry.ts"
import { Tokens } from "./tokens.ts"

/** What sessions share, so that a second pull neither probes nor logs in again. */
export class Memory {
  readonly tokens = new Tokens()
  /** By host: how it last asked to be shown who asks. */
  readonly challenges = new Map<string, Challenge>()
  /** By host that may be spoken to without TLS: what it spoke. */
  readonly schemes = new Map<string, "https" | "http">()
}

export type SessionOptions = {
  readonly memory: Memory
  readonly pace: Pace
  /** Longest silence, in milliseconds. */
  readonly patience: number
  readonly certificates: readonly string[]
  readonly access: "pull" | "push"
  /** The user's, for the registry that was named. */
  readonly credentials: Credentials | undefined
  /** Asks token servers for an identity token too, which stands for the password later; called with what they give. */
  readonly onIdentityToken?: (token: string) => void
}

export type Request = {
  readonly method: Ask["method"]
  /** Below /v2/<repository>/; from the root where it begins with "/"; or a whole address that the registry gave. */
  readonly at: string | URL
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Body
  /** Statuses that are an answer; any other is thrown as a refusal. */
  readonly expect: readonly number[]
  /** Repository that is to be read too. */
  readonly alsoFrom?: string
  /** What a token is to allow, where that is not this repository. */
  readonly scopes?: readonly string[]
  /** 1 where the caller must begin earlier than with this request. */
  readonly tries?: number
  readonly signal: AbortSignal
}

export class Session {
  readonly endpoint: Endpoint
  readonly #options: SessionOptions
  #reached: Promise<Reach> | undefined

  constructor(endpoint: Endpoint, options: SessionOptions) {
    this.endpoint = endpoint
    this.#options = options
  }

  get pace(): Pace {
    return this.#options.pace
  }

  async send(request: Request): Promise<Answer> {
    const { pace } = this.#options
    const tries = request.tries ?? pace.tries
    for (let attempt = 0; ; attempt++) {
      const isLast = attempt + 1 >= tries
      let delay: number | undefined
      try {
        const answer = await this.#authorized(request)
        if (request.expect.includes(answer.status)) return answer
        if (!isLast && isPassing(answer.status)) delay = delayBefore(attempt, pace, answer)
        if (delay === undefined) throw await refusalOf(request.method, answer, this.#howToLogIn())
        await answer.discard()
      } catch (error) {
        if (isLast || !isWorthRetrying(error) || !(error instanceof ConnectionError)) throw error
        delay = delayBefore(attempt, pace)
      }
      await pause(delay!, request.signal)
    }
  }

  async #authorized(request: Request): Promise<Answer> {
    const { memory } = this.#options
    const { host } = this.endpoint
    const reached = await this.#reach()
    const origin = await this.#origin(reached, request.signal)
    const url = request.at instanceof URL ? request.at : this.#below(origin, request.at)
    const isOurs = url.host === new URL(origin).host
    for (let round = 0; ; round++) {
      const authorization = isOurs ? await this.#authorization(request, url, reached) : undefined
      const answer = await exchange({
        method: request.method,
        url,
        headers: {
          ...request.headers,
          ...(authorization === undefined ? {} : { Authorization: authorization.header }),
        },
        tls: reached.tls,
        patience: this.#options.patience,
        signal: request.signal,
        ...(request.body === undefined ? {} : { body: request.body }),
      })
      if (answer.status !== 401 || answer.url.host !== url.host || !isOurs) return answer
      const challenge = chosen(parseChallenges(answer.headers.get("www-authenticate") ?? ""))
      // Shown once more only when it may be better than before: a first time, or a token that has gone stale.
      const isStale = authorization?.wasCached === true
      if (challenge === undefined || round > 1 || (authorization !== undefined && !isStale)) return answer
      memory.challenges.set(host, challenge)
      if (authorization?.key !== undefined) memory.tokens.forget(authorization.key)
      await answer.discard()
    }
  }

  #reach(): Promise<Reach> {
    const { certificates, credentials: given } = this.#options
    this.#reached ??= reach(this.endpoint, { certificates, given })
    return this.#reached
  }

  #below(origin: string, at: string): URL {
    return new URL(at.startsWith("/") ? `${origin}${at}` : `${origin}/v2/${this.endpoint.path}/${at}`)
  }

  async #authorization(
    request: Request,
    url: URL,
    { credentials, tls }: Reach,
  ): Promise<{ header: string; key?: string; wasCached?: boolean } | undefined> {
    const { memory, access, patience } = this.#options
    if (credentials?.registryToken !== undefined) return { header: `Bearer ${credentials.registryToken}` }
    const challenge = memory.challenges.get(this.endpoint.host)
    if (challenge === undefined) return undefined
    if (challenge.scheme === "basic") {
      if (credentials?.username !== undefined) return { header: basicHeader(credentials) }
      throw this.#nobody(request.method, url)
    }
    const scopes = request.scopes ?? [
      `repository:${this.endpoint.path}:${access === "push" ? "pull,push" : "pull"}`,
      ...(request.alsoFrom === undefined ? [] : [`repository:${request.alsoFrom}:pull`]),
    ]
    const who = JSON.stringify([credentials?.username, credentials?.password, credentials?.identityToken])
    // The key holds who asks only as a digest, so that no secret lies about in one more place.
    const key = Bun.SHA256.hash(JSON.stringify([url.origin, challenge.parameters, scopes, who]), "hex")
    const known = memory.tokens.cached(key)
    if (known !== undefined) return { header: known, key, wasCached: true }
    const { signal } = request
    const { onIdentityToken } = this.#options
    const shown = { scopes, credentials, from: url, tls, patience, signal }
    const logIn = this.#howToLogIn()
    const options = { ...shown, logIn, ...(onIdentityToken === undefined ? {} : { onIdentityToken }) }
    return { header: await memory.tokens.fetch(key, challenge, options), key }
  }

  #nobody(method: string, url: URL): DhowError {
    const hint = this.#howToLogIn()
    const message = `${placeOf(method, url)}: no basic auth credentials`
    return new DhowError("forbidden", message, hint === undefined ? {} : { hint })
  }

  /** Nothing where it would not help: to what stands in for a registry nobody is shown, and to log in is what failed. */
  #howToLogIn(): string | undefined {
    const { isNamed, named } = this.endpoint
    if (!isNamed || this.#options.onIdentityToken !== undefined) return undefined
    return `Log in first: dhow login${named === "docker.io" ? "" : ` ${named}`}`
  }

  /** HTTPS, unless the host may do without and does. */
  async #origin({ schemes, tls }: Reach, signal: AbortSignal): Promise<string> {
    const { host } = this.endpoint
    const { memory, patience } = this.#options
    let scheme = schemes.length === 1 ? schemes[0]! : memory.schemes.get(host)
    if (scheme === undefined) {
      scheme = "http"
      try {
        const url = new URL(`https://${host}/v2/`)
        await (await exchange({ method: "GET", url, tls, patience, signal })).discard()
        scheme = "https"
      } catch (error) {
        if (!(error instanceof ConnectionError)) throw error
      }
      memory.schemes.set(host, scheme)
    }
    return `${scheme}://${host}`
  }

  /** The host may be another program by the next time. */
  forget(): void {
    this.#options.memory.schemes.delete(this.endpoint.host)
  }
}

/** Tokens before passwords, where a registry takes both. */
function chosen(challenges: readonly Challenge[]): Challenge | undefined {
  return (
    challenges.find(({ scheme, parameters }) => scheme === "bearer" && parameters["realm"] !== undefined) ??
    challenges.find(({ scheme }) => scheme === "basic")
  )
}
