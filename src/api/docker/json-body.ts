// Reading a request's JSON body, bounded, with Docker's rules about its Content-Type.
import * as v from "valibot"
import { DhowError } from "../../lib/errors.ts"
import type { HttpRequest } from "../http/reply.ts"
import { checkJson, parseJson } from "./schema/go-json.ts"

const JSON_LIMIT = 4 * 1024 * 1024
/** Of a body whose end has to be looked for after every piece, which costs the square of its length. */
const STREAM_LIMIT = 16 * 1024

/** The body checked against a schema. An empty one is `{}` where the route allows it, as most do. */
export async function readJson<const Schema extends v.GenericSchema>(
  request: HttpRequest,
  schema: Schema,
  options: { readonly required?: boolean } = {},
): Promise<v.InferOutput<Schema>> {
  checkContentType(request)
  const bytes = await request.body.bytes(JSON_LIMIT)
  if (bytes.length === 0 && options.required !== true) return checkJson(schema, {})
  return checkJson(schema, parseJson(Buffer.from(bytes).toString("utf8")))
}

/**
 * As `readJson`, for a request whose connection is about to be taken over: reads no further than the end of the value,
 * since a client may leave its chunked body open and go on with its input in there.
 */
export async function readJsonBeforeStream<const Schema extends v.GenericSchema>(
  request: HttpRequest,
  schema: Schema,
): Promise<v.InferOutput<Schema>> {
  if (request.body.length !== undefined) return readJson(request, schema)
  checkContentType(request)
  let text = ""
  const decoder = new TextDecoder()
  for (let part = await request.body.read(); part !== undefined; part = await request.body.read()) {
    text += decoder.decode(part, { stream: true })
    if (text.length > STREAM_LIMIT) throw new DhowError("invalid", `Request body is larger than ${STREAM_LIMIT} bytes`)
    if (text.trimEnd().endsWith("}") && isComplete(text)) break
  }
  return checkJson(schema, text.trim() === "" ? {} : parseJson(text))
}

function isComplete(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Takes a JSON body off a request whose route has no use for one, so that it does not count as input. */
export async function skipJson(request: HttpRequest): Promise<void> {
  if (request.body.length === 0 || mediaType(request) !== "application/json") return
  await readJsonBeforeStream(request, v.unknown())
}

/** A request without a body needs none. */
function checkContentType(request: HttpRequest): void {
  const media = mediaType(request)
  if (media === "application/json" || (media === "" && request.body.length === 0)) return
  if (media === "") throw new DhowError("invalid", "malformed Content-Type header (): mime: no media type")
  const type = request.headers.get("content-type")
  throw new DhowError("invalid", `unsupported Content-Type header (${type}): must be 'application/json'`)
}

function mediaType(request: HttpRequest): string {
  return (request.headers.get("content-type") ?? "").split(";", 1)[0]!.trim().toLowerCase()
}
