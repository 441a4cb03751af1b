// Lists that a registry gives page by page: tags, and what refers to a manifest.
import { DhowError, isKind } from "../lib/errors.ts"
import { type Digest, hexOf, isDigest } from "../oci/digest.ts"
import type { Descriptor } from "../oci/manifest.ts"
import { RefusedError } from "./answer-error.ts"
import { type Answer, parseLocation } from "./exchange.ts"
import { fetchManifest } from "./manifests.ts"
import { readJson } from "./read.ts"
import type { Request, Session } from "./session.ts"

const PAGE_LIMIT = 8 << 20
const MOST_PAGES = 1000
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/

type Options = { readonly signal: AbortSignal }

export async function listTags(session: Session, options: Options): Promise<readonly string[]> {
  const tags = new Set<string>()
  for await (const page of pages(session, "tags/list", options)) {
    const { tags: found } = (page ?? {}) as { tags?: unknown }
    for (const tag of Array.isArray(found) ? found : []) if (typeof tag === "string" && TAG.test(tag)) tags.add(tag)
  }
  return [...tags]
}

export async function listReferrers(
  session: Session,
  digest: Digest,
  { artifactType, signal }: Options & { readonly artifactType?: string },
): Promise<readonly Descriptor[]> {
  const filter = artifactType === undefined ? "" : `?artifactType=${encodeURIComponent(artifactType)}`
  const found: Descriptor[] = []
  try {
    for await (const page of pages(session, `referrers/${digest}${filter}`, { signal }))
      found.push(...manifestsOf(page))
  } catch (error) {
    // Registries that know no such list say so in many ways.
    if (!(error instanceof RefusedError) || error.status >= 500 || error.status === 429) throw error
    found.push(...(await tagged(session, digest, { signal })))
  }
  return artifactType === undefined ? found : found.filter((one) => one.artifactType === artifactType)
}

/** Registries without the list: the specification's tag schema puts it behind a tag. */
async function tagged(session: Session, digest: Digest, options: Options): Promise<readonly Descriptor[]> {
  try {
    const { bytes } = await fetchManifest(session, `sha256-${hexOf(digest)}`, options)
    return manifestsOf(JSON.parse(Buffer.from(bytes).toString("utf8")))
  } catch (error) {
    if (isKind(error, "not-found")) return []
    throw error
  }
}

function manifestsOf(value: unknown): readonly Descriptor[] {
  const { manifests } = (value ?? {}) as { manifests?: unknown }
  if (!Array.isArray(manifests)) return []
  return manifests.filter((one: unknown): one is Descriptor => {
    const { digest, size, mediaType } = (one ?? {}) as Record<string, unknown>
    return typeof digest === "string" && isDigest(digest) && typeof size === "number" && typeof mediaType === "string"
  })
}

export async function* pages(
  session: Session,
  first: string,
  { scopes, signal }: Options & Pick<Request, "scopes">,
): AsyncGenerator<unknown> {
  let at: string | URL | undefined = first
  for (let page = 0; at !== undefined; page++) {
    if (page === MOST_PAGES)
      throw new DhowError("unavailable", `Registry "${session.endpoint.host}" sends a list that does not end`)
    const answer: Answer = await session.send({
      method: "GET",
      at,
      expect: [200],
      signal,
      ...(scopes === undefined ? {} : { scopes }),
    })
    yield await readJson(answer, PAGE_LIMIT)
    at = nextOf(answer)
  }
}

/** Link: </v2/…?last=x>; rel="next" */
function nextOf({ headers, url }: Answer): URL | undefined {
  const target = /<([^>]+)>\s*;[^,]*\brel="?next"?/i.exec(headers.get("link") ?? "")?.[1]
  if (target === undefined) return undefined
  const next = parseLocation(target, url)
  return next.host === url.host ? next : undefined
}
