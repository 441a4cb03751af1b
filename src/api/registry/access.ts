// Who may do what: everybody, users with a password, or pulling for everybody and pushing for users.
import { RegistryError } from "../../engine/registry/errors.ts"
import type { RegistryListener } from "../../wire/registry-server.ts"
import { Passwords } from "./htpasswd.ts"
import { type Grant, Tokens } from "./tokens.ts"

export interface Access {
  /** Throws where the request may not do it. */
  check(request: Request, action: Grant, url: URL): Promise<void>
  /** GET /token, where tokens are given. */
  token(request: Request): Promise<Response | undefined>
}

export function openAccess({ htpasswd, anonymousPull }: RegistryListener): Access {
  if (htpasswd === undefined) return { check: async () => undefined, token: async () => undefined }
  const passwords = new Passwords(htpasswd)
  if (anonymousPull !== true)
    return {
      async check(request) {
        const given = basicOf(request)
        if (given !== undefined && (await passwords.verify(...given))) return
        throw unauthorized('Basic realm="dhow registry", charset="UTF-8"')
      },
      token: async () => undefined,
    }
  const tokens = new Tokens()
  return {
    async check(request, action, url) {
      const given = basicOf(request)
      // Whoever sends a password at once need not ask for a token first.
      if (given !== undefined && (await passwords.verify(...given))) return
      const grant = given === undefined ? tokens.read(bearerOf(request)) : undefined
      if (grant === "push" || (grant === "pull" && action === "pull")) return
      const scope = scopeOf(url, action)
      throw unauthorized(
        `Bearer realm="${url.origin}/token",service="${url.host}"${scope === "" ? "" : `,scope="${scope}"`}` +
          (grant === undefined ? "" : ',error="insufficient_scope"'),
      )
    },
    async token(request) {
      const given = basicOf(request)
      if (given !== undefined && !(await passwords.verify(...given)))
        throw unauthorized('Basic realm="dhow registry", charset="UTF-8"')
      const issued = tokens.issue(given === undefined ? "pull" : "push")
      return Response.json({ ...issued, access_token: issued.token }, { headers: { "Cache-Control": "no-store" } })
    },
  }
}

function scopeOf({ pathname }: URL, action: Grant): string {
  const name = /^\/v2\/(.+)\/(?:blobs|manifests|tags|referrers)\//.exec(pathname)?.[1]
  return name === undefined ? "" : `repository:${name}:${action === "push" ? "pull,push" : "pull"}`
}

function basicOf(request: Request): [string, string] | undefined {
  const encoded = /^Basic\s+([A-Za-z0-9+/=]+)$/i.exec(request.headers.get("authorization") ?? "")?.[1]
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, "base64").toString("utf8")
  const colon = text.indexOf(":")
  return colon < 0 ? undefined : [text.slice(0, colon), text.slice(colon + 1)]
}

function bearerOf(request: Request): string {
  return /^Bearer\s+([\w.-]+)$/i.exec(request.headers.get("authorization") ?? "")?.[1] ?? ""
}

function unauthorized(challenge: string): RegistryError {
  return new RegistryError("UNAUTHORIZED", "Authentication is required", { headers: { "WWW-Authenticate": challenge } })
}
