// The one error class. A message says what failed and on which object, quoted, without a full stop;
// `hint` says what the user can do; `cause` keeps what lies beneath.

export type ErrorKind =
  | "invalid" // the request makes no sense: 400
  | "unauthorized" // 401
  | "forbidden" // 403
  | "not-found" // 404
  | "conflict" // the object is in another state: 409
  | "not-implemented" // 501
  | "unavailable" // a part we need is missing or does not answer: 503
  | "cancelled" // the caller went away
  | "internal" // 500

export type DhowErrorOptions = {
  readonly cause?: unknown
  readonly hint?: string
  /** Exit status a CLI should end with, where Docker fixes one (125, 126, 127). */
  readonly exitCode?: number
}

export class DhowError extends Error {
  override readonly name = "DhowError"
  readonly kind: ErrorKind
  readonly hint: string | undefined
  readonly exitCode: number | undefined

  constructor(kind: ErrorKind, message: string, options: DhowErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.kind = kind
    this.hint = options.hint
    this.exitCode = options.exitCode
  }
}

export function isKind(error: unknown, kind: ErrorKind): error is DhowError {
  return error instanceof DhowError && error.kind === kind
}

/** The errno name ("ENOENT") of a system error, or undefined for anything else. */
export function errnoName(error: unknown): string | undefined {
  if (error !== null && typeof error === "object" && "code" in error && typeof error.code === "string")
    return error.code
  return undefined
}

/** The hint of whatever fails for want of space. */
export const FULL_DISK = "Free some space on the disk of the data root"
const FULL_CODES: ReadonlySet<string | undefined> = new Set(["SQLITE_FULL", "ENOSPC", "EDQUOT"])

/** What the user can do, as the error or else one beneath it says. */
export function hintOf(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause)
    if (at instanceof DhowError && at.hint !== undefined) return at.hint
    else if (FULL_CODES.has(errnoName(at))) return FULL_DISK
  return undefined
}

/** One line for a person: the message, its causes where they say something new, and the hint in parentheses. */
export function describeError(error: unknown): string {
  const parts: string[] = []
  for (let at = error; at instanceof Error; at = at.cause) {
    const { message } = at
    if (!parts.some((part) => part.includes(message))) parts.push(message)
  }
  const text = parts.length === 0 ? String(error) : parts.join(": ")
  const hint = hintOf(error)
  return hint === undefined ? text : `${text} (${hint})`
}
