// One HTTP exchange: a request with its redirects, and an answer whose body is read at the reader's pace. What stalls is
// given up, and a redirect to another place never carries what was meant for this one.
import { DhowError } from "../lib/errors.ts"
import type { Tls } from "./certificates.ts"
import { ConnectionError, reasonOf } from "./connection-error.ts"
import { proxyFor, withoutProxy } from "./proxy.ts"

export type Body = Uint8Array | (() => AsyncIterable<Uint8Array>)

export type Ask = {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE"
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Body
  readonly tls?: Tls
  /** Longest silence, in milliseconds. */
  readonly patience: number
  readonly signal: AbortSignal
}

export type Answer = {
  readonly status: number
  readonly statusText: string
  readonly headers: Headers
  /** Where the answer came from, after redirects. */
  readonly url: URL
  readonly body: AsyncIterable<Uint8Array>
  /** Lets go of the connection without reading the rest. */
  discard(): Promise<void>
}

const REDIRECTS = new Set([301, 302, 303, 307, 308])
const MOST_REDIRECTS = 5
const SHORT = 64 << 10

export async function exchange(ask: Ask): Promise<Answer> {
  let { url, method, body, headers = {}, tls } = ask
  for (let hops = 0; ; hops++) {
    const answer = await once({ ...ask, url, method, headers, tls: tls!, ...(body === undefined ? {} : { body }) })
    const location = answer.headers.get("location")
    if (!REDIRECTS.has(answer.status) || location === null) return answer
    await answer.discard()
    if (hops === MOST_REDIRECTS)
      throw new DhowError("unavailable", `${placeOf(method, url)}: stopped after ${MOST_REDIRECTS} redirects`)
    const next = parseLocation(location, url)
    if (url.protocol === "https:" && next.protocol !== "https:")
      throw new DhowError("unavailable", `${placeOf(method, url)}: refused to be redirected to plain HTTP`)
    if (next.origin !== url.origin) {
      const { Authorization: _ours, ...rest } = headers
      headers = rest
      // Certificates of one's own are for the host they were set for, and so is the leave not to check any.
      if (next.host !== url.host) tls = undefined
    }
    if (answer.status === 303 || (answer.status <= 302 && method === "POST")) {
      method = "GET"
      body = undefined
    }
    url = next
  }
}

export function parseLocation(location: string, base: URL): URL {
  const url = URL.canParse(location, base.href) ? new URL(location, base) : undefined
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:"))
    throw new DhowError("unavailable", `Registry "${base.host}" sent a location that is no address`)
  url.username = ""
  url.password = ""
  return url
}

/** 'Get "https://host/v2/"' as Docker writes it; without the query, which may be a secret. */
export function placeOf(method: string, url: URL): string {
  return `${method[0]}${method.slice(1).toLowerCase()} "${url.origin}${url.pathname}"`
}

async function once(ask: Ask): Promise<Answer> {
  const { method, url, signal, patience } = ask
  const abort = new AbortController()
  const watch = watchdog(patience, () => abort.abort(new Error(`no answer for ${Math.ceil(patience / 1000)} seconds`)))
  const leave = (): void => abort.abort(signal.reason)
  if (signal.aborted) leave()
  signal.addEventListener("abort", leave, { once: true })
  const close = (): void => {
    watch.stop()
    signal.removeEventListener("abort", leave)
  }
  const fail = (cause: unknown): Error => {
    close()
    if (signal.aborted) return new DhowError("cancelled", "The request was cancelled", { cause: signal.reason })
    // An error of what is being sent is that thing's own.
    if (cause instanceof DhowError) return cause
    const { text, isFinal, hint } = abort.signal.aborted
      ? { text: (abort.signal.reason as Error).message, isFinal: false, hint: undefined }
      : reasonOf(cause, url)
    return new ConnectionError(`${placeOf(method, url)}: ${text}`, isFinal, hint)
  }
  let sendFailure: { readonly error: unknown } | undefined
  async function* watched(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of source) {
        watch.feed()
        yield chunk
      }
    } catch (error) {
      sendFailure = { error }
      throw error
    }
  }
  const proxy = proxyFor(url, process.env)
  const { rejectUnauthorized = true, ca, cert, key } = ask.tls ?? {}
  const call = (): Promise<Response> =>
    fetch(url, {
      method,
      headers: { "Accept-Encoding": "identity", "User-Agent": "dhow", ...ask.headers },
      redirect: "manual",
      signal: abort.signal,
      decompress: false,
      timeout: false,
      ...(proxy === undefined ? {} : { proxy }),
      ...(url.protocol === "https:"
        ? {
            tls: {
              rejectUnauthorized,
              ...(ca === undefined ? {} : { ca: [...ca] }),
              ...(cert === undefined ? {} : { cert, key }),
            },
          }
        : {}),
      ...(ask.body === undefined ? {} : { body: ask.body instanceof Uint8Array ? ask.body : watched(ask.body()) }),
    } as RequestInit)
  let response: Response
  try {
    response = await (proxy === undefined ? withoutProxy(call) : call())
  } catch (cause) {
    throw fail(sendFailure?.error ?? cause)
  }
  watch.pause()
  const reader = response.body?.getReader()

  async function* read(): AsyncGenerator<Uint8Array> {
    let ended = reader === undefined
    try {
      while (reader !== undefined) {
        watch.feed()
        const { done, value } = await reader.read()
        watch.pause()
        if (done) break
        yield value
      }
      ended = true
    } catch (cause) {
      throw fail(cause)
    } finally {
      close()
      if (!ended) abort.abort(new Error("the answer was not read to its end"))
    }
  }
  return {
    status: response.status,
    statusText: response.statusText,
    headers: response.headers,
    url,
    body: read(),
    async discard() {
      const length = Number(response.headers.get("content-length") ?? Number.NaN)
      // What is short is read, so that the connection can be used again.
      if (method === "HEAD" || length <= SHORT) return void (await drain(read()))
      close()
      abort.abort(new Error("the answer was not wanted"))
      await reader?.cancel().catch(() => undefined)
    },
  }
}

async function drain(body: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const _chunk of body);
  } catch {
    // Nobody wanted it.
  }
}

/** Barks after a silence. A pause is a silence of ours: of a reader who is busy with what came. */
function watchdog(patience: number, bark: () => void) {
  let timer: Timer | undefined
  const watch = {
    feed() {
      if (timer === undefined) timer = setTimeout(bark, patience)
      else timer.refresh()
    },
    pause() {
      clearTimeout(timer)
      timer = undefined
    },
    stop: () => watch.pause(),
  }
  watch.feed()
  return watch
}
