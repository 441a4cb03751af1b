// What a container's files are asked for as a whole: GET /containers/{id}/changes, /containers/{id}/export, POST /commit.
import type { Containers } from "../../engine/contract.ts"
import { json, type Reply, streamed } from "../http/reply.ts"
import { type Call, param } from "./call.ts"
import { targetReference } from "./image-references.ts"
import { readJson } from "./json-body.ts"
import { commitRequest } from "./schema/requests.ts"

export async function changes(containers: Containers, call: Call): Promise<Reply> {
  const found = await containers.changes(param(call, "name"))
  return json(200, found.length === 0 ? null : found)
}

export async function exported(containers: Containers, call: Call): Promise<Reply> {
  const archive = await containers.export(param(call, "name"), { signal: call.request.signal })
  return streamed("application/x-tar", async (out) => {
    for await (const chunk of archive) if (!out.write(chunk)) await out.drained()
  })
}

export async function commit(containers: Containers, { request, query }: Call): Promise<Reply> {
  const config = await readJson(request, commitRequest)
  const repository = query.text("repo")
  const { id } = await containers.commit(query.text("container"), {
    pause: query.boolOr("pause", true),
    comment: query.text("comment"),
    author: query.text("author"),
    changes: query.all("changes"),
    signal: request.signal,
    ...(repository === "" ? {} : { reference: targetReference(repository, query.text("tag")) }),
    ...(config === null || Object.keys(config).length === 0 ? {} : { config }),
  })
  return json(201, { Id: id })
}
