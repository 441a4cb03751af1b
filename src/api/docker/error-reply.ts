// Errors as Docker's clients read them: {"message": ...}, and "hint" where there is one, with the status of the error's kind.
import { DhowError, type ErrorKind, FULL_DISK } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"
import { type HttpRequest, json, type Reply } from "../http/reply.ts"

const STATUS = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  "not-found": 404,
  conflict: 409,
  "not-implemented": 501,
  unavailable: 503,
  cancelled: 500,
  internal: 500,
} as const satisfies Record<ErrorKind, number>

const FULL_CODES = new Set(["SQLITE_FULL", "ENOSPC", "EDQUOT"])

export function statusOf(error: unknown): number {
  return error instanceof DhowError ? STATUS[error.kind] : 500
}

function hintOf(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause)
    if (at instanceof DhowError && at.hint !== undefined) return at.hint
    else if (FULL_CODES.has(String((at as NodeJS.ErrnoException).code))) return FULL_DISK
  return undefined
}

/** The message as Docker words it; the hint follows in parentheses. Causes are told where they say something new. */
export function messageOf(error: unknown): string {
  const parts: string[] = []
  for (let at = error; at instanceof Error; at = at.cause)
    if (!parts.some((part) => part.includes((at as Error).message))) parts.push(at.message)
  const message = parts.length === 0 ? String(error) : parts.join(": ")
  const hint = hintOf(error)
  return hint === undefined ? message : `${message} (${hint})`
}

export function errorReply(error: unknown, request: HttpRequest): Reply {
  const status = statusOf(error)
  if (status === 500 && !(error instanceof DhowError && error.kind === "cancelled"))
    log.error("request failed", {
      method: request.method,
      path: request.path,
      error: messageOf(error),
      stack: error instanceof DhowError ? undefined : (error as Error)?.stack,
    })
  const hint = hintOf(error)
  // The hint once more by itself, for dhow's own client, which puts it on a line of its own.
  return json(status, { message: messageOf(error), ...(hint === undefined ? {} : { hint }) })
}
