// /dhow/logs: the logs of several containers as one stream, of containers that are gone too; clearing; their bytes.
import type { Logs } from "../../engine/contract/logs.ts"
import { LOG_NAMES_HEADER } from "../../wire/log.ts"
import { type Call, param, type Route } from "../docker/call.ts"
import { lineOptions } from "../docker/logs.ts"
import { type BodyWriter, json, type Reply } from "../http/reply.ts"

export function logRoutes(logs: Logs): Route[] {
  return [
    ["GET", "/dhow/logs", (call) => read(logs, call)],
    ["GET", "/dhow/logs/usage", async () => json(200, await logs.usage())],
    ["POST", "/dhow/containers/:name/logs/clear", async (call) => json(200, await logs.clear(param(call, "name")))],
  ]
}

async function read(logs: Logs, { query, request }: Call): Promise<Reply> {
  const { names, connect } = await logs.open(query.all("container"), {
    follow: query.bool("follow"),
    stdout: query.bool("stdout"),
    stderr: query.bool("stderr"),
    ...lineOptions(query),
    signal: request.signal,
  })
  const head = new Uint8Array(8)
  const view = new DataView(head.buffer)
  const headers = { "Content-Type": "application/vnd.dhow.log-lines", [LOG_NAMES_HEADER]: JSON.stringify(names) }
  const send = (out: BodyWriter): Promise<void> =>
    connect({
      write(source, stream, line) {
        head[0] = stream
        view.setUint16(2, source)
        view.setUint32(4, line.length)
        return out.writeFramed(head, line)
      },
      drained: () => out.drained(),
    })
  return { kind: "stream", status: 200, headers, send }
}
