// For tests: calls the API without a socket, over an engine of which only what the test needs is there.
import type { Engine } from "../../engine/contract.ts"
import { RequestBody } from "../http/body.ts"
import type { BodyWriter, Reply } from "../http/reply.ts"
import { dockerApi } from "./api.ts"

/** An engine with the given parts; touching any other is a failure of the test. */
export function engineWith(parts: { [Noun in keyof Engine]?: Partial<Engine[Noun]> }): Engine {
  const noun = (name: string, methods: object): unknown =>
    new Proxy(methods, {
      get(target, method) {
        const found = Reflect.get(target, method)
        if (found !== undefined) return found
        return () => {
          throw new Error(`Unexpected call of ${name}.${String(method)}`)
        }
      },
    })
  const nouns = ["containers", "execs", "images", "networks", "volumes", "events", "exits", "system"] as const
  return Object.fromEntries(nouns.map((name) => [name, noun(name, parts[name] ?? {})])) as unknown as Engine
}

type CallOptions = {
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

export async function call(engine: Engine, line: string, options: CallOptions = {}): Promise<Reply> {
  const [method = "", target = ""] = line.split(" ")
  const [path = "", query = ""] = target.split("?")
  const bytes = Buffer.from(options.body ?? "")
  const body = new RequestBody(bytes.length, { pause() {}, resume() {}, wanted() {} })
  if (bytes.length > 0) body.push(bytes)
  body.end()
  return dockerApi(engine)({
    method,
    path,
    query,
    minorVersion: 1,
    headers: new Map(
      Object.entries(options.headers ?? (bytes.length > 0 ? { "content-type": "application/json" } : {})),
    ),
    body,
    signal: options.signal ?? new AbortController().signal,
  })
}

/** Status and body, parsed where it is JSON. */
export async function answer(
  engine: Engine,
  line: string,
  options?: CallOptions,
): Promise<{ status: number; body: unknown }> {
  const reply = await call(engine, line, options)
  if (reply.kind === "hijack") throw new Error("The connection was taken over")
  const text = reply.kind === "whole" ? String(reply.body ?? "") : await sent(reply)
  try {
    return { status: reply.status, body: JSON.parse(text) }
  } catch {
    return { status: reply.status, body: text }
  }
}

/** What a streamed reply sends. */
export async function sent(reply: Reply & { kind: "stream" }): Promise<string> {
  const parts: Uint8Array[] = []
  const out: BodyWriter = {
    write(chunk) {
      parts.push(Buffer.from(chunk as Uint8Array))
      return true
    },
    writeFramed(frame, chunk) {
      parts.push(Buffer.from(frame), Buffer.from(chunk))
      return true
    },
    drained: async () => {},
    backlogged: false,
  }
  await reply.send(out)
  return Buffer.concat(parts).toString("latin1")
}
