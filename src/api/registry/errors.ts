// Errors as the distribution-spec wants them: {"errors": [{code, message}]}.
import { RegistryError } from "../../engine/registry/errors.ts"
import { DhowError, describeError, FULL_DISK, hintOf } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"
import { statusOf } from "../docker/error-reply.ts"

export function errorResponse(error: unknown, request: Request): Response {
  const { status, code, headers } = fieldsOf(error)
  if (status >= 500)
    log.error("A request to the registry failed", {
      method: request.method,
      url: request.url,
      error: describeError(error),
      stack: error instanceof DhowError ? undefined : (error as Error)?.stack,
    })
  // What went wrong inside is for the log: file names are nobody's business.
  const message =
    status === 507
      ? "The registry's disk is full"
      : status === 500
        ? "The registry failed"
        : error instanceof Error
          ? error.message
          : String(error)
  const body = request.method === "HEAD" ? null : `${JSON.stringify({ errors: [{ code, message }] })}\n`
  return new Response(body, { status, headers: { "Content-Type": "application/json", ...headers } })
}

function fieldsOf(error: unknown): {
  readonly status: number
  readonly code: string
  readonly headers: Readonly<Record<string, string>>
} {
  if (error instanceof RegistryError) return error
  if (!(error instanceof DhowError) && hintOf(error) === FULL_DISK) return { status: 507, code: "UNKNOWN", headers: {} }
  const status = statusOf(error)
  if (status === 404) return { status, code: "NAME_UNKNOWN", headers: {} }
  if (status < 500) return { status, code: "UNSUPPORTED", headers: {} }
  return { status, code: "UNKNOWN", headers: {} }
}
