// Blobs coming in: in one request, in two, or in parts; and blobs of another repository, which need not come at all.
import { RegistryError } from "../../engine/registry/errors.ts"
import {
  algorithmOf,
  parseAlgorithm,
  parseNamedDigest,
  parseRepositoryName,
  type RepositoryName,
} from "../../engine/registry/names.ts"
import { rangeOf, type UploadPart } from "../../engine/registry/uploads.ts"
import { empty, type RegistryCall, type RegistryRoute } from "./call.ts"
import { parseContentRange } from "./range.ts"

export const uploadsRoute: RegistryRoute = {
  path: /^\/v2\/(.+)\/blobs\/uploads\/?$/,
  label: "uploads",
  methods: { POST: begin },
}

export const uploadRoute: RegistryRoute = {
  path: /^\/v2\/(.+)\/blobs\/uploads\/([^/]+)$/,
  label: "uploads",
  methods: { GET: status, PATCH: append, PUT: finish, DELETE: cancel },
}

async function begin(call: RegistryCall): Promise<Response> {
  const { query, registry } = call
  const { uploads } = registry
  const name = parseRepositoryName(call.name)
  const mounted = await mount(call, name)
  if (mounted !== undefined) return mounted
  const given = query.get("digest")
  if (given === null) {
    const id = uploads.begin(name, parseAlgorithm(query.get("digest-algorithm") ?? "sha256"))
    return accepted(name, id, 0)
  }
  const digest = parseNamedDigest(given)
  const id = uploads.begin(name, algorithmOf(digest))
  try {
    await uploads.finish(name, id, { digest, part: partOf(call) })
  } catch (error) {
    // Nobody was told of it, so nobody can go on with it.
    dropQuietly(call, name, id)
    throw error
  }
  return created(name, digest)
}

function dropQuietly({ registry }: RegistryCall, name: RepositoryName, id: string): void {
  try {
    registry.uploads.cancel(name, id)
  } catch {
    // It went with its failure.
  }
}

/** What cannot be mounted is to be uploaded: no error. */
async function mount(call: RegistryCall, name: RepositoryName): Promise<Response | undefined> {
  const { host, query, registry, request, source } = call
  const wanted = query.get("mount")
  if (wanted === null || wanted === "") return undefined
  const digest = parseNamedDigest(wanted)
  const from = query.get("from")
  const asked = { host, head: true, signal: request.signal }
  const known = from === null || from === "" ? registry.records.anyBlob(digest)?.repository : parseRepositoryName(from)
  const blob = known === undefined ? undefined : await source.blob(known, digest, asked)
  if (blob?.kind !== "stored") return undefined
  registry.mount(name, digest, blob)
  return created(name, digest)
}

function status({ name, reference, registry }: RegistryCall): Response {
  const repository = parseRepositoryName(name)
  const size = registry.uploads.size(repository, reference)
  return empty(204, headersOf(repository, reference, size))
}

async function append(call: RegistryCall): Promise<Response> {
  const { name, reference, registry } = call
  const repository = parseRepositoryName(name)
  const size = await registry.uploads.append(repository, reference, partOf(call))
  return accepted(repository, reference, size)
}

async function finish(call: RegistryCall): Promise<Response> {
  const { name, query, reference, registry } = call
  const repository = parseRepositoryName(name)
  const digest = parseNamedDigest(query.get("digest") ?? "")
  await registry.uploads.finish(repository, reference, { digest, part: partOf(call) })
  return created(repository, digest)
}

function cancel({ name, reference, registry }: RegistryCall): Response {
  registry.uploads.cancel(parseRepositoryName(name), reference)
  return new Response(null, { status: 204 })
}

function partOf({ body, request }: RegistryCall): UploadPart {
  const range = parseContentRange(request.headers.get("content-range"))
  if (range === "invalid")
    throw new RegistryError("BLOB_UPLOAD_INVALID", "Content-Range is not FIRST-LAST", { status: 416 })
  const length = request.headers.get("content-length")
  return { bytes: body, range, length: length === null ? undefined : Number(length) }
}

function headersOf(name: RepositoryName, id: string, size: number): Readonly<Record<string, string>> {
  return { Location: `/v2/${name}/blobs/uploads/${id}`, Range: rangeOf(size), "Docker-Upload-UUID": id }
}

function accepted(name: RepositoryName, id: string, size: number): Response {
  return empty(202, headersOf(name, id, size))
}

function created(name: RepositoryName, digest: string): Response {
  return empty(201, { Location: `/v2/${name}/blobs/${digest}`, "Docker-Content-Digest": digest })
}
