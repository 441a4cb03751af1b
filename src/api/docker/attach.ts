// POST /containers/{id}/attach: the connection becomes the container's streams.
import type { Attachment, Containers } from "../../engine/contract.ts"
import type { Reply } from "../http/reply.ts"
import { type Call, param } from "./call.ts"
import { parseDetachKeys, watchForDetach } from "./detach-keys.ts"
import { skipJson } from "./json-body.ts"
import { outputSink, RAW_STREAM, streamType } from "./raw-output.ts"

export async function attach(containers: Containers, call: Call): Promise<Reply> {
  const { query } = call
  const keysText = query.optional("detachKeys")
  const keys = parseDetachKeys(keysText)
  // Some clients repeat the options as a body.
  await skipJson(call.request)
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

/** Hands the connection over to an attachment: shared by attach and exec. */
export function attachmentReply(attachment: Attachment, api: number, detachKeys: Uint8Array): Reply {
  const { tty } = attachment
  return {
    kind: "hijack",
    contentType: { upgraded: streamType(tty, api), plain: RAW_STREAM },
    take(raw) {
      const detach = (): void => attachment.detach()
      if (raw.signal.aborted) return detach()
      raw.signal.addEventListener("abort", detach, { once: true })
      const end = (): void => {
        raw.signal.removeEventListener("abort", detach)
        raw.end()
      }
      const leave = (): void => {
        detach()
        end()
      }
      attachment.connect(outputSink(raw, { tty, end }))
      raw.readInto(tty ? watchForDetach(attachment.input, detachKeys, leave) : attachment.input)
    },
  }
}
