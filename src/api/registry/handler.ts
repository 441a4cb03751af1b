// One listener's requests: who asks, for what, and what becomes of it, counted. Routes are tried in order; the words
// behind a repository's name decide.
import { RegistryError } from "../../engine/registry/errors.ts"
import type { Registry } from "../../engine/registry/registry.ts"
import { proxyFor } from "../../engine/registry/upstream.ts"
import type { RegistryListener } from "../../wire/registry-server.ts"
import { openAccess } from "./access.ts"
import { blobRoute } from "./blobs.ts"
import { jsonResponse, type RegistryRoute } from "./call.ts"
import { errorResponse } from "./errors.ts"
import { catalogRoute, referrersRoute, tagsRoute } from "./lists.ts"
import { manifestRoute } from "./manifests.ts"
import type { Metrics } from "./metrics.ts"
import { uploadRoute, uploadsRoute } from "./uploads.ts"

const ROUTES: readonly RegistryRoute[] = [
  manifestRoute,
  uploadsRoute,
  uploadRoute,
  blobRoute,
  tagsRoute,
  referrersRoute,
  catalogRoute,
]

export function registryHandler(options: {
  readonly registry: Registry
  readonly listener: RegistryListener
  readonly metrics: Metrics
}): (request: Request) => Promise<Response> {
  const { listener, metrics, registry } = options
  const access = openAccess(listener)
  const proxies = listener.proxies ?? []
  const source = registry.source(listener, (result) => metrics.cache.add({ listener: listener.address, result }))

  /** `found` is told which route it is, before anything can fail. */
  async function handle(request: Request, found: (label: string) => void): Promise<Response> {
    const url = new URL(request.url)
    const { pathname } = url
    if (pathname === "/metrics") {
      found("metrics")
      await access.check(request, "push", url)
      const headers = { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" }
      return new Response(metrics.text(), { headers })
    }
    if (pathname === "/token") {
      const response = await access.token(request)
      found("token")
      if (response !== undefined) return response
    }
    if (pathname === "/v2/" || pathname === "/v2") {
      found("base")
      await access.check(request, "pull", url)
      return jsonResponse({})
    }
    for (const route of ROUTES) {
      const match = route.path.exec(pathname)
      if (match === null) continue
      found(route.label)
      return await answer(route, match, { request, url })
    }
    throw new RegistryError("UNSUPPORTED", "There is nothing here", { status: 404 })
  }

  async function answer(
    { label, methods }: RegistryRoute,
    [, name = "", reference = ""]: RegExpExecArray,
    { request, url }: { readonly request: Request; readonly url: URL },
  ): Promise<Response> {
    const { method } = request
    const handler = Object.hasOwn(methods, method) ? methods[method] : undefined
    if (handler === undefined)
      throw new RegistryError("UNSUPPORTED", `${method} is not for this`, {
        headers: { Allow: Object.keys(methods).join(", ") },
      })
    const isWrite = label === "uploads" || (method !== "GET" && method !== "HEAD")
    await access.check(request, isWrite ? "push" : "pull", url)
    if (isWrite && listener.readOnly === true) throw new RegistryError("UNSUPPORTED", "This registry is read-only")
    const repository = namespaced(decoded(name), url.searchParams.get("ns"))
    const covering = isWrite ? proxyFor(proxies, repository)?.proxy : undefined
    if (covering !== undefined)
      throw new RegistryError("DENIED", `"${repository}" is fetched from ${covering.upstream}: nothing is pushed to it`)
    const response = await handler({
      registry,
      source,
      request,
      query: url.searchParams,
      host: url.host.toLowerCase(),
      name: repository,
      reference: decoded(reference),
      body: counted(request, (bytes) => metrics.received.add({ listener: listener.address }, bytes)),
    })
    if (repository !== decoded(name)) response.headers.set("OCI-Namespace", url.searchParams.get("ns") ?? "")
    return response
  }

  /** Clients that use this registry as a mirror say in "ns" which registry they mean. */
  function namespaced(name: string, ns: string | null): string {
    const proxy = ns === null ? undefined : proxies.find(({ upstream }) => upstream === ns)
    return proxy === undefined || proxy.prefix === "" ? name : `${proxy.prefix}/${name}`
  }

  return async (request) => {
    const began = performance.now()
    let label = "other"
    let response: Response
    try {
      response = await handle(request, (found) => {
        label = found
      })
    } catch (error) {
      response = errorResponse(error, request)
    }
    response.headers.set("Docker-Distribution-API-Version", "registry/2.0")
    response.headers.set("X-Content-Type-Options", "nosniff")
    const where = { listener: listener.address }
    metrics.requests.add({ ...where, route: label, method: methodOf(request), status: String(response.status) })
    metrics.duration.observe({ ...where, route: label }, (performance.now() - began) / 1000)
    const length = Number(response.headers.get("content-length") ?? 0)
    if (request.method !== "HEAD") metrics.sent.add(where, length)
    return response
  }
}

async function* counted({ body }: Request, count: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  if (body === null) return
  for await (const chunk of body) {
    count(chunk.length)
    yield chunk
  }
}

/** Clients may write anything as a method. */
function methodOf({ method }: Request): string {
  return ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"].includes(method) ? method : "other"
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
