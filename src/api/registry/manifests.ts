// Manifests by tag or digest: byte for byte what was pushed.
import { MANIFEST_LIMIT } from "../../engine/registry/document.ts"
import { RegistryError } from "../../engine/registry/errors.ts"
import {
  isNamedDigest,
  type NamedDigest,
  parseManifestReference,
  parseRepositoryName,
  parseTag,
} from "../../engine/registry/names.ts"
import { empty, type RegistryCall, type RegistryRoute } from "./call.ts"

/** The specification asks for ten at least. */
const MOST_TAGS = 100

export const manifestRoute: RegistryRoute = {
  path: /^\/v2\/(.+)\/manifests\/([^/]+)$/,
  label: "manifests",
  methods: { GET: send, HEAD: send, PUT: store, DELETE: remove },
}

async function send(call: RegistryCall): Promise<Response> {
  const { host, request, source } = call
  const name = parseRepositoryName(call.name)
  const reference = parseManifestReference(call.reference)
  const head = request.method === "HEAD"
  const found = await source.manifest(name, reference, { host, head, signal: request.signal })
  if (found === undefined) {
    const what = isNamedDigest(reference) ? `manifest "${reference}"` : `tag "${reference}"`
    throw new RegistryError("MANIFEST_UNKNOWN", `Repository "${name}" has no ${what}`)
  }
  const { digest, mediaType, size, warning } = found
  const etag = `"${digest}"`
  const headers = {
    "Content-Length": String(size),
    "Content-Type": mediaType,
    "Docker-Content-Digest": digest,
    ETag: etag,
    ...(warning === undefined ? {} : { Warning: `299 - "${warning.replace(/["\\\r\n]/g, " ")}"` }),
  }
  if (request.headers.get("if-none-match") === etag) return new Response(null, { status: 304, headers })
  return new Response(head ? null : ((await found.read()) as Uint8Array<ArrayBuffer>), { headers })
}

async function store(call: RegistryCall): Promise<Response> {
  const { host, query, registry, request, source } = call
  const name = parseRepositoryName(call.name)
  const reference = parseManifestReference(call.reference)
  const tags = isNamedDigest(reference) ? query.getAll("tag").map(parseTag) : []
  if (tags.length > MOST_TAGS)
    throw new RegistryError("MANIFEST_INVALID", `More than ${MOST_TAGS} tags in one request`, { status: 414 })
  const { digest, subject } = await registry.putManifest(name, {
    reference,
    tags,
    bytes: await readBody(call),
    contentType: request.headers.get("content-type") ?? "",
    async find(blob: NamedDigest) {
      const found = await source.blob(name, blob, { host, head: true, signal: request.signal })
      return found?.kind === "stored" ? found : undefined
    },
  })
  return empty(201, {
    "Docker-Content-Digest": digest,
    Location: `/v2/${name}/manifests/${digest}`,
    ...(subject === undefined ? {} : { "OCI-Subject": subject }),
    ...(tags.length === 0 ? {} : { "OCI-Tag": tags.join(", ") }),
  })
}

async function readBody({ body, request }: RegistryCall): Promise<Uint8Array> {
  const tooLarge = (): RegistryError =>
    new RegistryError("SIZE_INVALID", `Manifest is longer than ${MANIFEST_LIMIT} bytes`, { status: 413 })
  if (Number(request.headers.get("content-length") ?? 0) > MANIFEST_LIMIT) throw tooLarge()
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.length
    if (length > MANIFEST_LIMIT) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function remove({ name, reference, registry }: RegistryCall): Response {
  registry.removeManifest(parseRepositoryName(name), parseManifestReference(reference))
  return empty(202, {})
}
