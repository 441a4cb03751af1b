// HEAD, GET and PUT /containers/{id}/archive: files of a container as tar archives.
import type { Containers } from "../../engine/contract.ts"
import { DhowError } from "../../lib/errors.ts"
import type { PathStat } from "../../wire/container.ts"
import { type BodyWriter, empty, type Headers, type Reply, streamed } from "../http/reply.ts"
import { type Call, param } from "./call.ts"

export async function statPath(containers: Containers, call: Call): Promise<Reply> {
  return empty(200, statHeader(await containers.statPath(param(call, "name"), pathOf(call))))
}

export async function getArchive(containers: Containers, call: Call): Promise<Reply> {
  const { signal } = call.request
  const { stat, archive } = await containers.archive(param(call, "name"), { path: pathOf(call), signal })
  const send = async (out: BodyWriter): Promise<void> => {
    for await (const chunk of archive) if (!out.write(chunk)) await out.drained()
  }
  return streamed("application/x-tar", send, statHeader(stat))
}

export async function putArchive(containers: Containers, call: Call): Promise<Reply> {
  const { query, request } = call
  await containers.extract(param(call, "name"), request.body.stream(), {
    path: pathOf(call),
    keepKinds: query.bool("noOverwriteDirNonDir"),
    chown: query.bool("copyUIDGID"),
    signal: request.signal,
  })
  return empty(200)
}

function pathOf({ query }: Call): string {
  const path = query.text("path")
  // The missing space is Docker's too.
  if (path === "") throw new DhowError("invalid", "bad parameter: pathcannot be empty")
  return path
}

function statHeader(stat: PathStat): Headers {
  return { "X-Docker-Container-Path-Stat": Buffer.from(JSON.stringify(stat)).toString("base64") }
}
