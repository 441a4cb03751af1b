// How dhow's own client asks for what a platform runs as well: Docker's API has no word for it.
import type { HttpRequest } from "../http/reply.ts"

export function compatibility({ headers }: HttpRequest): { readonly compatible?: boolean } {
  return headers.get("x-dhow-platform") === "compatible" ? { compatible: true } : {}
}
