// /dhow/manifests: lists of manifests, which docker's client keeps for itself.
import * as v from "valibot"
import type { Manifests, RegistryUse } from "../../engine/contract.ts"
import { DhowError } from "../../lib/errors.ts"
import { type Call, param, type Route } from "../docker/call.ts"
import { readJson } from "../docker/json-body.ts"
import { progressReply } from "../docker/progress.ts"
import { field, fields, text, texts } from "../docker/schema/go-json.ts"
import { empty, json, type Reply } from "../http/reply.ts"

const annotateRequest = v.pipe(
  fields({
    Manifest: field(text),
    Os: field(text),
    Architecture: field(text),
    Variant: field(text),
    OsVersion: field(text),
    OsFeatures: field(texts),
  }),
  v.transform(({ Manifest = "", Os, Architecture, Variant, OsVersion, OsFeatures }) => ({
    manifest: Manifest,
    changes: {
      ...(Os ? { os: Os } : {}),
      ...(Architecture ? { architecture: Architecture } : {}),
      ...(Variant ? { variant: Variant } : {}),
      ...(OsVersion ? { osVersion: OsVersion } : {}),
      ...(OsFeatures === undefined ? {} : { osFeatures: OsFeatures }),
    },
  })),
)

export function manifestRoutes(manifests: Manifests): Route[] {
  return [
    ["GET", "/dhow/manifests/*name/json", (call) => inspect(manifests, call)],
    ["POST", "/dhow/manifests/*name/create", (call) => create(manifests, call)],
    ["POST", "/dhow/manifests/*name/annotate", (call) => annotate(manifests, call)],
    ["POST", "/dhow/manifests/*name/push", (call) => push(manifests, call)],
    [
      "DELETE",
      "/dhow/manifests/*name",
      async (call) => {
        await manifests.remove(param(call, "name"))
        return empty(204)
      },
    ],
  ]
}

function useOf({ query, request }: Call): RegistryUse & { readonly signal: AbortSignal } {
  const auths = request.headers.get("x-registry-config")
  const { signal } = request
  return { insecure: query.bool("insecure"), signal, ...(auths === undefined ? {} : { auths }) }
}

async function create(manifests: Manifests, call: Call): Promise<Reply> {
  const { query } = call
  const names = query.all("manifest")
  if (names.length === 0) throw new DhowError("invalid", "A manifest list needs at least one manifest")
  const options = { ...useOf(call), amend: query.bool("amend") }
  return json(201, await manifests.create(param(call, "name"), names, options))
}

async function annotate(manifests: Manifests, call: Call): Promise<Reply> {
  const { manifest, changes } = await readJson(call.request, annotateRequest, { required: true })
  await manifests.annotate(param(call, "name"), manifest, changes)
  return empty(204)
}

async function inspect(manifests: Manifests, call: Call): Promise<Reply> {
  const { query } = call
  const list = query.optional("list")
  const asked = { local: query.bool("local"), verbose: query.bool("verbose") }
  const options = { ...useOf(call), ...asked, ...(list === undefined ? {} : { list }) }
  return json(200, await manifests.inspect(param(call, "name"), options))
}

function push(manifests: Manifests, call: Call): Promise<Reply> {
  const options = { ...useOf(call), purge: call.query.bool("purge") }
  return progressReply((progress) => manifests.push(param(call, "name"), { ...options, progress }))
}
