// Blobs going out: whole or in part, straight from their files, so that the kernel does the copying.
import { RegistryError } from "../../engine/registry/errors.ts"
import { parseNamedDigest, parseRepositoryName } from "../../engine/registry/names.ts"
import type { ServedBlob } from "../../engine/registry/source.ts"
import { empty, type RegistryCall, type RegistryRoute } from "./call.ts"
import { parseRange } from "./range.ts"

export const blobRoute: RegistryRoute = {
  path: /^\/v2\/(.+)\/blobs\/([^/]+)$/,
  label: "blobs",
  methods: { GET: send, HEAD: send, DELETE: remove },
}

async function send(call: RegistryCall): Promise<Response> {
  const { host, request, source } = call
  const name = parseRepositoryName(call.name)
  const digest = parseNamedDigest(call.reference)
  const head = request.method === "HEAD"
  const blob = await source.blob(name, digest, { host, head, signal: request.signal })
  if (blob === undefined) throw new RegistryError("BLOB_UNKNOWN", `Repository "${name}" has no blob "${digest}"`)
  const etag = `"${digest}"`
  const headers = {
    "Accept-Ranges": "bytes",
    "Cache-Control": "max-age=31536000",
    "Content-Type": "application/octet-stream",
    "Docker-Content-Digest": digest,
    ETag: etag,
  }
  if (request.headers.get("if-none-match") === etag) return new Response(null, { status: 304, headers })
  const isRanged = (request.headers.get("if-range") ?? etag) === etag
  const range = isRanged ? parseRange(request.headers.get("range"), blob.size) : undefined
  if (range === "unsatisfiable")
    throw new RegistryError(
      "SIZE_INVALID",
      `Blob "${digest}" has ${blob.size} bytes, and none in the range asked for`,
      {
        status: 416,
        headers: { "Content-Range": `bytes */${blob.size}` },
      },
    )
  const { first, last } = range ?? { first: 0, last: blob.size - 1 }
  const length = { "Content-Length": String(last - first + 1) }
  const partial = range === undefined ? {} : { "Content-Range": `bytes ${first}-${last}/${blob.size}` }
  const answer = { status: range === undefined ? 200 : 206, headers: { ...headers, ...length, ...partial } }
  return new Response(head || blob.size === 0 ? null : bodyOf(blob, first, last), answer)
}

function bodyOf(blob: ServedBlob, first: number, last: number): Blob | ReadableStream<Uint8Array> {
  if (blob.kind === "stored") {
    const file = Bun.file(blob.path)
    return last - first + 1 === blob.size ? file : file.slice(first, last + 1)
  }
  const parts = blob.stream(first)[Symbol.asyncIterator]()
  let left = last - first + 1
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = left > 0 ? await parts.next() : undefined
      if (next === undefined || next.done === true) {
        controller.close()
        await parts.return?.()
        return
      }
      const chunk = next.value.subarray(0, left)
      left -= chunk.length
      controller.enqueue(chunk)
    },
    async cancel() {
      await parts.return?.()
    },
  })
}

function remove({ name, reference, registry }: RegistryCall): Response {
  registry.removeBlob(parseRepositoryName(name), parseNamedDigest(reference))
  return empty(202, {})
}
