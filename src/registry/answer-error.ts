// What a registry said no with, as one line: {"errors":[{code, message}]} (OCI distribution-spec, "Error Codes"), in the
// form in which Docker repeats it: "manifest unknown: manifest unknown".
import { DhowError, type ErrorKind } from "../lib/errors.ts"
import { parseChallenges } from "./challenge.ts"
import { type Answer, placeOf } from "./exchange.ts"
import { retryAfter } from "./retry-after.ts"

const BODY_LIMIT = 64 << 10
const TEXT_LIMIT = 400

type Refusal = { readonly status: number; readonly code: string; readonly hint?: string | undefined }

/** An answer that is a refusal. `code` is the registry's, in upper case; empty where it gave none. */
export class RefusedError extends DhowError {
  readonly status: number
  readonly code: string
  constructor(kind: ErrorKind, message: string, options: Refusal) {
    super(kind, message, options.hint === undefined ? {} : { hint: options.hint })
    this.status = options.status
    this.code = options.code
  }
}

/** `logIn` is what to do where the registry would rather know who asks. */
export async function refusalOf(method: string, answer: Answer, logIn?: string): Promise<RefusedError> {
  const { status } = answer
  const said = errorsOf(await readText(answer))
  const [first = fromChallenge(answer)] = said
  const kind = kindOf(status, first?.code ?? "")
  const hint = hintFor(answer, first?.code ?? "", logIn)
  if (first === undefined)
    return new RefusedError(kind, `${placeOf(method, answer.url)}: unexpected status ${status}`, {
      status,
      code: "",
      hint,
    })
  const name = first.code.toLowerCase().replaceAll("_", " ")
  const text = first.message === "" ? name : `${name}: ${first.message}`
  return new RefusedError(kind, text, { status, code: first.code, hint })
}

function hintFor({ status, headers }: Answer, code: string, logIn: string | undefined): string | undefined {
  if (status === 429) {
    const after = retryAfter(headers.get("retry-after"))
    return after === undefined ? undefined : `The registry asks to wait ${Math.ceil(after / 1000)} seconds`
  }
  return status === 401 || status === 403 || code === "DENIED" || code === "UNAUTHORIZED" ? logIn : undefined
}

type Said = { readonly code: string; readonly message: string }

/** The part of a body that a message may need. */
async function readText(answer: Answer): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for await (const chunk of answer.body) {
      chunks.push(chunk)
      length += chunk.length
      if (length > BODY_LIMIT) break
    }
  } catch (error) {
    // The status alone says enough; only the caller's leaving matters more.
    if (error instanceof DhowError && error.kind === "cancelled") throw error
  }
  return Buffer.concat(chunks).subarray(0, BODY_LIMIT).toString("utf8")
}

function errorsOf(text: string): readonly Said[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return []
  }
  const { errors, details } = (value ?? {}) as { errors?: unknown; details?: unknown }
  // Token servers say {"details": "..."}.
  if (typeof details === "string") return [{ code: "UNAUTHORIZED", message: clean(details) }]
  if (!Array.isArray(errors)) return []
  return errors.flatMap((error: unknown) => {
    const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
    if (typeof code !== "string" || !/^[A-Za-z_ ]{1,64}$/.test(code)) return []
    return [{ code: code.toUpperCase(), message: typeof message === "string" ? clean(message) : "" }]
  })
}

function fromChallenge(answer: Answer): Said | undefined {
  const bearer = parseChallenges(answer.headers.get("www-authenticate") ?? "").find(({ scheme }) => scheme === "bearer")
  if (answer.status === 401 && bearer?.parameters["error"] === "insufficient_scope")
    return { code: "DENIED", message: "requested access to the resource is denied" }
  if (answer.status === 401) return { code: "UNAUTHORIZED", message: "authentication required" }
  if (answer.status === 429) return { code: "TOOMANYREQUESTS", message: "too many requests" }
  if (answer.status === 403) return { code: "DENIED", message: "requested access to the resource is denied" }
  return undefined
}

function kindOf(status: number, code: string): ErrorKind {
  if (status === 404 || /_UNKNOWN$/.test(code)) return "not-found"
  if (code === "DENIED" || code === "UNAUTHORIZED" || status === 401 || status === 403) return "forbidden"
  return status === 400 ? "invalid" : "unavailable"
}

/** One line, printable, bounded: it ends up on somebody's terminal. */
function clean(text: string): string {
  return text
    .replace(/\p{C}+/gu, " ")
    .trim()
    .slice(0, TEXT_LIMIT)
}
