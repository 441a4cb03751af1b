// /containers/{id}/attach and /attach/ws: the connection becomes the container's streams.
import type { Attachment, Containers } from "../../engine/contract.ts"
import { parseDetachKeys } from "../../lib/detach-keys.ts"
import type { RawStream, Reply } from "../http/reply.ts"
import { openingHeaders, WebSocketStream } from "../http/websocket.ts"
import { type Call, param } from "./call.ts"
import { watchForDetach } from "./detach-keys.ts"
import { rawErrorReply } from "./error-reply.ts"
import { skipJson } from "./json-body.ts"
import { outputSink, RAW_STREAM, streamType } from "./raw-output.ts"

export async function attach(containers: Containers, call: Call): Promise<Reply> {
  // Some clients repeat the options as a body.
  await skipJson(call.request)
  try {
    return await attachTo(containers, call)
  } catch (error) {
    return rawErrorReply(error, call.request)
  }
}

async function attachTo(containers: Containers, call: Call): Promise<Reply> {
  const { query } = call
  const keysText = query.optional("detachKeys")
  const keys = parseDetachKeys(keysText)
  const attachment = await containers.attach(param(call, "name"), {
    stdin: query.bool("stdin"),
    stdout: query.bool("stdout"),
    stderr: query.bool("stderr"),
    logs: query.bool("logs"),
    stream: query.bool("stream"),
    ...(keysText === undefined ? {} : { detachKeys: keysText }),
  })
  return attachmentReply(attachment, call.api, keys)
}

/** The same through a WebSocket. Both outputs come as they are, in frames: nothing tells them apart, as in Docker. */
export async function attachWebSocket(containers: Containers, call: Call): Promise<Reply> {
  const { query, api } = call
  const keysText = query.optional("detachKeys")
  const keys = parseDetachKeys(keysText)
  const opening = await openingOf(containers, call)
  // Before 1.42 all three were attached, whatever was asked for.
  const wants = (name: string): boolean => api < 42 || query.bool(name)
  const attachment = await containers.attach(param(call, "name"), {
    stdin: wants("stdin"),
    stdout: wants("stdout"),
    stderr: wants("stderr"),
    logs: query.bool("logs"),
    stream: query.bool("stream"),
    ...(keysText === undefined ? {} : { detachKeys: keysText }),
  })
  return {
    kind: "hijack",
    contentType: { upgraded: RAW_STREAM, plain: RAW_STREAM },
    opening,
    take(raw) {
      const stream = new WebSocketStream(raw, api >= 28 ? "binary" : "text")
      join(attachment, stream, { raw: true, detachKeys: keys })
    },
  }
}

/** A container that is not there is told of before anything that is wrong with the opening. */
async function openingOf(containers: Containers, call: Call): Promise<ReturnType<typeof openingHeaders>> {
  try {
    return openingHeaders(call.request)
  } catch (error) {
    await containers.inspect(param(call, "name"))
    throw error
  }
}

/** Hands the connection over to an attachment: shared by attach and exec. */
export function attachmentReply(attachment: Attachment, api: number, detachKeys: Uint8Array): Reply {
  const { tty } = attachment
  return {
    kind: "hijack",
    contentType: { upgraded: streamType(tty, api), plain: RAW_STREAM },
    take(raw) {
      join(attachment, raw, { raw: tty, detachKeys })
    },
  }
}

/** `raw` output is not multiplexed. */
function join(
  attachment: Attachment,
  stream: RawStream,
  { raw, detachKeys }: { readonly raw: boolean; readonly detachKeys: Uint8Array },
): void {
  const gone = (): void => attachment.detach("gone")
  if (stream.signal.aborted) {
    gone()
    return
  }
  stream.signal.addEventListener("abort", gone, { once: true })
  const end = (): void => {
    stream.signal.removeEventListener("abort", gone)
    stream.end()
  }
  const leave = (): void => {
    attachment.detach("keys")
    end()
  }
  attachment.connect(outputSink(stream, { tty: raw, end }))
  stream.readInto(attachment.tty ? watchForDetach(attachment.input, detachKeys, leave) : attachment.input)
}
