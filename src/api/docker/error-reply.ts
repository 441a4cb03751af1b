// Errors as Docker's clients read them: {"message": ...}, and "hint" where there is one, with the status of the error's kind.
import { DhowError, describeError, type ErrorKind, hintOf } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"
import { type HttpRequest, json, type Reply } from "../http/reply.ts"
import { RAW_STREAM } from "./raw-output.ts"

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

export function statusOf(error: unknown): number {
  return error instanceof DhowError ? STATUS[error.kind] : 500
}

export function errorReply(error: unknown, request: HttpRequest): Reply {
  const status = loggedStatus(error, request)
  const hint = hintOf(error)
  // The hint once more by itself, for dhow's own client, which puts it on a line of its own.
  return json(status, { message: describeError(error), ...(hint === undefined ? {} : { hint }) })
}

/** Of a request whose answer would have been a raw stream: Docker writes the text as the stream's. */
export function rawErrorReply(error: unknown, request: HttpRequest): Reply {
  const headers = { "Content-Type": RAW_STREAM }
  return { kind: "whole", status: loggedStatus(error, request), headers, body: `${describeError(error)}\r\n` }
}

function loggedStatus(error: unknown, request: HttpRequest): number {
  const status = statusOf(error)
  if (status === 500 && !(error instanceof DhowError && error.kind === "cancelled"))
    log.error("request failed", {
      method: request.method,
      path: request.path,
      error: describeError(error),
      stack: error instanceof DhowError ? undefined : (error as Error)?.stack,
    })
  return status
}

/** For clients from before errors were JSON: they show the text as it comes. */
export function plainErrorReply(error: unknown): Reply {
  const headers = { "Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff" }
  return { kind: "whole", status: statusOf(error), headers, body: `${describeError(error)}\n` }
}
