// GET /containers/{id}/logs.
import type { Containers, LogOptions } from "../../engine/contract.ts"
import { DhowError } from "../../lib/errors.ts"
import { type Reply, streamed } from "../http/reply.ts"
import { type Call, param } from "./call.ts"
import type { Query } from "./query.ts"
import { outputSink, streamType } from "./raw-output.ts"

export async function logs(containers: Containers, call: Call): Promise<Reply> {
  const { query, request } = call
  const stdout = query.bool("stdout")
  const stderr = query.bool("stderr")
  if (!stdout && !stderr) throw new DhowError("invalid", "Bad parameters: you must choose at least one stream")
  const log = await containers.logs(param(call, "name"), {
    follow: query.bool("follow"),
    stdout,
    stderr,
    ...lineOptions(query),
    signal: request.signal,
  })
  return streamed(streamType(log.tty, call.api), (out) => log.connect(outputSink(out, { tty: log.tty, end() {} })))
}

/** Which lines, and how each is shown. */
export function lineOptions(query: Query): Pick<LogOptions, "since" | "until" | "tail" | "timestamps" | "details"> {
  const since = query.time("since")
  const until = query.time("until")
  const tail = lines(query.text("tail"))
  return {
    timestamps: query.bool("timestamps"),
    details: query.bool("details"),
    ...(since === undefined ? {} : { since }),
    // Docker's clients send 0 for "no end".
    ...(until === undefined || until === 0 ? {} : { until }),
    ...(tail === undefined ? {} : { tail }),
  }
}

/** A number of lines; anything else, "all" among it, means every line. */
function lines(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
}
