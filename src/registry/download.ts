// A file that a user names by its address: fetched through the daemon's proxies, with redirects, never longer than is
// said, given up where it falls silent. What comes was written by somebody else.
import { DhowError, type ErrorKind } from "../lib/errors.ts"
import { ConnectionError } from "./connection-error.ts"
import { type Answer, exchange, placeOf } from "./exchange.ts"

/** Longest silence, in milliseconds. */
const PATIENCE = 60_000
/** Of an answer that is a refusal, what is shown. */
const MOST_SHOWN = 1024
const KINDS: Readonly<Record<number, ErrorKind>> = {
  400: "invalid",
  401: "unauthorized",
  403: "forbidden",
  404: "not-found",
}

export type Download = {
  /** As it was fetched, without a password. */
  readonly address: string
  /** Undefined where the server does not say. */
  readonly length: number | undefined
  readonly bytes: AsyncIterable<Uint8Array>
}

export type DownloadOptions = {
  /** The most bytes that are taken. */
  readonly limit: number
  readonly signal: AbortSignal
  readonly patience?: number
}

/** Without a scheme an address is one of HTTP, as in Docker. Resolves when the server has begun to send the file. */
export async function download(
  text: string,
  { limit, signal, patience = PATIENCE }: DownloadOptions,
): Promise<Download> {
  const { url, authorization } = parseAddress(text)
  const headers = authorization === undefined ? {} : { Authorization: authorization }
  const answer = await exchange({ method: "GET", url, headers, patience, signal }).catch((error: unknown) => {
    if (!(error instanceof ConnectionError) || !error.message.endsWith(": no such host")) throw error
    // In Docker's words, which scripts look for.
    throw new DhowError("not-found", `Get "${url.href}": dial tcp: lookup ${url.hostname}: no such host`)
  })
  if (answer.status >= 400) throw await refusal(url, answer)
  const said = answer.headers.get("content-length")
  const length = said !== null && /^\d{1,15}$/.test(said) ? Number(said) : undefined
  if (length !== undefined && length > limit) {
    await answer.discard()
    throw tooLong(url, limit)
  }
  return { address: url.href, length, bytes: whole(answer.body, { url, length, limit }) }
}

function parseAddress(text: string): { readonly url: URL; readonly authorization: string | undefined } {
  const address = text.includes("://") ? text : `http://${text}`
  if (!URL.canParse(address)) throw new DhowError("invalid", `parse "${address}": invalid address`)
  const url = new URL(address)
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new DhowError("invalid", `Get "${address}": unsupported protocol scheme "${url.protocol.slice(0, -1)}"`)
  const user = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
  url.username = ""
  url.password = ""
  url.hash = ""
  return { url, authorization: user === ":" ? undefined : `Basic ${Buffer.from(user).toString("base64")}` }
}

/** In Docker's words. */
async function refusal(url: URL, answer: Answer): Promise<DhowError> {
  let shown = Buffer.alloc(0)
  for await (const chunk of answer.body) {
    shown = Buffer.concat([shown, chunk])
    if (shown.length >= MOST_SHOWN) break
  }
  const text = shown.toString("utf8", 0, MOST_SHOWN).trim()
  const status = `${answer.status} ${answer.statusText}`.trim()
  return new DhowError(
    KINDS[answer.status] ?? "unavailable",
    `failed to GET ${url.href} with status ${status}: ${text}`,
  )
}

async function* whole(
  body: AsyncIterable<Uint8Array>,
  { url, length, limit }: { readonly url: URL; readonly length: number | undefined; readonly limit: number },
): AsyncGenerator<Uint8Array> {
  let taken = 0
  for await (const chunk of body) {
    taken += chunk.length
    if (taken > limit) throw tooLong(url, limit)
    yield chunk
  }
  if (length !== undefined && taken < length)
    throw new ConnectionError(`${placeOf("GET", url)}: broke off at ${taken} of ${length} bytes`, false)
}

function tooLong(url: URL, limit: number): DhowError {
  return new DhowError("invalid", `${placeOf("GET", url)}: longer than the ${limit} bytes that fit on the disk`)
}
