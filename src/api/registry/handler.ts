// One listener's requests: who asks, for what, and what becomes of it, counted. Routes are tried in order; the words
// behind a repository's name decide.
import { RegistryError } from "../../engine/registry/errors.ts"
import type { Registry } from "../../engine/registry/registry.ts"
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

type Handled = { readonly label: string; readonly response: Response }

export function registryHandler(options: {
  readonly registry: Registry
  readonly listener: RegistryListener
  readonly metrics: Metrics
}): (request: Request) => Promise<Response> {
  const { listener, metrics, registry } = options
  const access = openAccess(listener)
  const source = registry.source(listener)

  async function handle(request: Request): Promise<Handled> {
    const url = new URL(request.url)
    const { pathname } = url
    if (pathname === "/metrics") {
      await access.check(request, "push", url)
      const headers = { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" }
      return { label: "metrics", response: new Response(metrics.text(), { headers }) }
    }
    if (pathname === "/token") {
      const response = await access.token(request)
      if (response !== undefined) return { label: "token", response }
    }
    if (pathname === "/v2/" || pathname === "/v2") {
      await access.check(request, "pull", url)
      return { label: "base", response: jsonResponse({}) }
    }
    for (const route of ROUTES) {
      const match = route.path.exec(pathname)
      if (match !== null) return { label: route.label, response: await answer(route, match, { request, url }) }
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
    return await handler({
      registry,
      source,
      request,
      query: url.searchParams,
      host: url.host.toLowerCase(),
      name: decoded(name),
      reference: decoded(reference),
    })
  }

  return async (request) => {
    const began = performance.now()
    let handled: Handled
    try {
      handled = await handle(request)
    } catch (error) {
      handled = { label: "error", response: errorResponse(error, request) }
    }
    const { label, response } = handled
    response.headers.set("Docker-Distribution-API-Version", "registry/2.0")
    response.headers.set("X-Content-Type-Options", "nosniff")
    const where = { listener: listener.address }
    metrics.requests.add({ ...where, route: label, method: methodOf(request), status: String(response.status) })
    metrics.duration.observe({ ...where, route: label }, (performance.now() - began) / 1000)
    const length = Number(response.headers.get("content-length") ?? 0)
    if (request.method !== "HEAD") metrics.sent.add(where, length)
    metrics.received.add(where, Number(request.headers.get("content-length") ?? 0) || 0)
    return response
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
