// A registry in memory that keeps to the specification, but for the faults it is told to have: uploads that break and are
// kept in part, parts of blobs that it does not give or gives wrongly, answers that are damaged, cut off or endless.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { type Digest, digestOf } from "../../src/oci/digest.ts"
import { type Descriptor, type Manifest, MEDIA_TYPE } from "../../src/oci/manifest.ts"

export type Faults = {
  /** Whether what refers to a manifest is listed. */
  referrers: boolean
  /** What becomes of a request for a part of a blob. */
  parts: "given" | "ignored" | "another" | "refused"
  chunkMinLength: number | undefined
  /** An upload's connection breaks after as many bytes of a request; these are kept. */
  breakUploadAfter: number | undefined
  /** How often that happens. */
  breaks: number
  /** Uploads are forgotten when they break. */
  forgets: boolean
  /** Takes over the answer to a GET of a blob. */
  blob: ((bytes: Buffer, response: ServerResponse) => void) | undefined
  manifest: ((bytes: Buffer, response: ServerResponse) => void) | undefined
}

export type Request = {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage["headers"]
  bytes: number
}

export class FaultRegistry {
  readonly blobs = new Map<string, Buffer>()
  readonly manifests = new Map<string, { readonly bytes: Buffer; readonly type: string }>()
  readonly seen: Request[] = []
  readonly faults: Faults = {
    referrers: true,
    parts: "given",
    chunkMinLength: undefined,
    breakUploadAfter: undefined,
    breaks: 0,
    forgets: false,
    blob: undefined,
    manifest: undefined,
  }
  readonly #uploads = new Map<string, Buffer>()
  readonly #server: Server
  #serial = 0

  constructor() {
    this.#server = createServer(
      (request, response) => void this.#answer(request, response).catch(() => request.destroy()),
    )
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve))
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  addBlob(bytes: Buffer): Digest {
    const digest = digestOf(bytes)
    this.blobs.set(digest, bytes)
    return digest
  }

  /** Under its digest and, where there is one, a tag. */
  addManifest(value: object, tag?: string): Descriptor {
    const bytes = Buffer.from(JSON.stringify(value))
    const mediaType = (value as { mediaType?: string }).mediaType ?? MEDIA_TYPE.ociManifest
    const digest = digestOf(bytes)
    for (const name of [digest, ...(tag === undefined ? [] : [tag])])
      this.manifests.set(name, { bytes, type: mediaType })
    return { mediaType, digest, size: bytes.length }
  }

  sent(method: string, word: string): readonly Request[] {
    return this.seen.filter((one) => one.method === method && one.path.includes(word))
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://registry")
    const method = request.method ?? "GET"
    const entry: Request = { method, path: url.pathname + url.search, headers: request.headers, bytes: 0 }
    this.seen.push(entry)
    const [, , kind, rest = ""] =
      /^\/v2\/(.+?)\/(blobs\/uploads|blobs|manifests|referrers|tags)\/(.*)$/.exec(url.pathname) ?? []
    if (kind === undefined) return void response.end()
    if (kind === "blobs/uploads") return await this.#upload(request, response, { url, id: rest, entry })
    if (kind === "blobs") return void this.#blob(request, response, rest)
    if (kind === "manifests") return await this.#manifest(request, response, rest)
    if (kind === "referrers" && this.faults.referrers) return void this.#referrers(response, rest)
    refuse(response, 404, "NOT_FOUND")
  }

  #blob({ method, headers }: IncomingMessage, response: ServerResponse, digest: string): void {
    const bytes = this.blobs.get(digest)
    if (bytes === undefined) return void refuse(response, 404, "BLOB_UNKNOWN")
    if (method === "HEAD") return void response.writeHead(200, { "content-length": bytes.length }).end()
    if (this.faults.blob !== undefined) return void this.faults.blob(bytes, response)
    const [, from = "", to = ""] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? "") ?? []
    const { parts } = this.faults
    if (from === "" || parts === "ignored")
      return void response.writeHead(200, { "content-length": bytes.length }).end(bytes)
    if (parts === "refused") return void refuse(response, 416, "RANGE_INVALID")
    const first = Number(from) + (parts === "another" ? 1 : 0)
    const part = bytes.subarray(first, to === "" ? undefined : Number(to) + 1)
    const range = `bytes ${first}-${first + part.length - 1}/${bytes.length}`
    response.writeHead(206, { "content-length": part.length, "content-range": range }).end(part)
  }

  async #manifest(request: IncomingMessage, response: ServerResponse, reference: string): Promise<void> {
    if (request.method === "PUT") {
      const bytes = await body(request)
      const type = request.headers["content-type"] ?? ""
      const digest = digestOf(bytes)
      for (const name of [digest, reference]) this.manifests.set(name, { bytes, type })
      const subject = (JSON.parse(bytes.toString()) as Manifest).subject?.digest
      const headers = { "docker-content-digest": digest }
      const isListed = this.faults.referrers && subject !== undefined
      response.writeHead(201, isListed ? { ...headers, "oci-subject": subject } : headers).end()
      return
    }
    const found = this.manifests.get(reference)
    if (found === undefined) return void refuse(response, 404, "MANIFEST_UNKNOWN")
    response.setHeader("docker-content-digest", digestOf(found.bytes))
    response.setHeader("content-type", found.type)
    if (request.method === "GET" && this.faults.manifest !== undefined)
      return this.faults.manifest(found.bytes, response)
    response.end(request.method === "HEAD" ? undefined : found.bytes)
  }

  #referrers(response: ServerResponse, subject: string): void {
    const manifests: object[] = []
    for (const [name, { bytes, type }] of this.manifests) {
      const manifest = JSON.parse(bytes.toString()) as Manifest
      if (name.startsWith("sha256:") && manifest.subject?.digest === subject)
        manifests.push({ mediaType: type, digest: name, size: bytes.length, artifactType: manifest.artifactType })
    }
    response.setHeader("content-type", MEDIA_TYPE.ociIndex)
    response.end(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests }))
  }

  async #upload(
    request: IncomingMessage,
    response: ServerResponse,
    { url, id, entry }: { readonly url: URL; readonly id: string; readonly entry: Request },
  ): Promise<void> {
    if (request.method === "POST") {
      const name = `u${this.#serial++}`
      this.#uploads.set(name, Buffer.alloc(0))
      const { chunkMinLength } = this.faults
      const least = chunkMinLength === undefined ? {} : { "oci-chunk-min-length": String(chunkMinLength) }
      return void response.writeHead(202, { location: `${url.pathname}${name}`, range: "0-0", ...least }).end()
    }
    const kept = this.#uploads.get(id)
    if (kept === undefined) return void refuse(response, 404, "BLOB_UPLOAD_UNKNOWN")
    const place = (): Record<string, string> => ({
      location: url.pathname,
      range: `0-${Math.max(0, (this.#uploads.get(id)?.length ?? 0) - 1)}`,
    })
    if (request.method === "GET") return void response.writeHead(204, place()).end()
    if (request.method === "DELETE") {
      this.#uploads.delete(id)
      return void response.writeHead(204).end()
    }
    const start = /^(\d+)-/.exec(request.headers["content-range"] ?? "")?.[1]
    if (start !== undefined && Number(start) !== kept.length) return void response.writeHead(416, place()).end()
    const chunks = [kept]
    for await (const chunk of request) {
      chunks.push(chunk as Buffer)
      entry.bytes += (chunk as Buffer).length
      const { breakUploadAfter, breaks, forgets } = this.faults
      if (breakUploadAfter === undefined || breaks === 0 || entry.bytes < breakUploadAfter) continue
      this.faults.breaks--
      if (forgets) this.#uploads.delete(id)
      else this.#uploads.set(id, Buffer.concat(chunks))
      return void request.destroy()
    }
    const bytes = Buffer.concat(chunks)
    this.#uploads.set(id, bytes)
    if (request.method === "PATCH") return void response.writeHead(202, place()).end()
    const digest = url.searchParams.get("digest") ?? ""
    if (digestOf(bytes) !== digest) return void refuse(response, 400, "DIGEST_INVALID")
    this.#uploads.delete(id)
    this.blobs.set(digest, bytes)
    response.writeHead(201, { location: `/v2/x/blobs/${digest}` }).end()
  }
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { "content-type": "application/json" })
  response.end(JSON.stringify({ errors: [{ code, message: code.toLowerCase() }] }))
}

async function body(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
