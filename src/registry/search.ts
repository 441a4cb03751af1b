// Repositories of a registry by a word: Docker's old search where the registry has it, else the list of its repositories
// (GET /v2/_catalog), in which the word is looked for here.
import { DhowError } from "../lib/errors.ts"
import { parseReference } from "../oci/reference.ts"
import { RefusedError } from "./answer-error.ts"
import type { FoundRepository } from "./contract.ts"
import { pages } from "./listings.ts"
import { readJson } from "./read.ts"
import type { Session } from "./session.ts"

const PAGE_LIMIT = 8 << 20
const SCOPES = ["registry:catalog:search", "registry:catalog:*"]
/** What registries answer who do not know a route, or not for everybody. */
const NOT_THERE: ReadonlySet<number> = new Set([404, 405, 501])

type Asked = { readonly term: string; readonly limit: number; readonly signal: AbortSignal }

export async function searchRegistry(session: Session, asked: Asked): Promise<readonly FoundRepository[]> {
  const { host } = session.endpoint
  try {
    return (await oldSearch(session, asked)) ?? (await catalog(session, asked))
  } catch (error) {
    if (!(error instanceof RefusedError) || !NOT_THERE.has(error.status)) throw error
    throw new DhowError(
      "not-implemented",
      `Registry "${host}" cannot be searched: it offers neither a search nor a list of its repositories`,
      { cause: error },
    )
  }
}

/** Undefined where the registry has no such thing. */
async function oldSearch(
  session: Session,
  { term, limit, signal }: Asked,
): Promise<readonly FoundRepository[] | undefined> {
  const at = `/v1/search?q=${encodeURIComponent(term)}&n=${limit}`
  // A web page for whatever is not known, or for whoever has not logged in: an answer, but not to this.
  const expect = [200, ...NOT_THERE, 400, 403]
  const answer = await session.send({ method: "GET", at, scopes: SCOPES, expect, signal })
  const isJson = answer.headers.get("content-type")?.includes("json") !== false
  if (answer.status !== 200 || !isJson) {
    await answer.discard()
    return undefined
  }
  const { results } = ((await readJson(answer, PAGE_LIMIT)) ?? {}) as { results?: unknown }
  if (!Array.isArray(results)) return undefined
  return results.slice(0, limit).flatMap((one: unknown) => {
    const { name, description, star_count: stars, is_official: isOfficial } = (one ?? {}) as Record<string, unknown>
    if (typeof name !== "string" || name === "") return []
    return {
      name: clean(name),
      description: typeof description === "string" ? clean(description) : "",
      stars: typeof stars === "number" ? stars : 0,
      isOfficial: isOfficial === true,
    }
  })
}

async function catalog(session: Session, { term, limit, signal }: Asked): Promise<readonly FoundRepository[]> {
  const { host } = session.endpoint
  const found: FoundRepository[] = []
  for await (const page of pages(session, "/v2/_catalog?n=1000", { scopes: SCOPES, signal })) {
    const { repositories } = (page ?? {}) as { repositories?: unknown }
    for (const path of Array.isArray(repositories) ? repositories : []) {
      if (typeof path !== "string" || !path.includes(term) || !isName(`${host}/${path}`)) continue
      found.push({ name: `${host}/${path}`, description: "", stars: 0, isOfficial: false })
      if (found.length === limit) return found
    }
  }
  return found
}

function isName(text: string): boolean {
  try {
    return parseReference(text).tag === undefined
  } catch {
    return false
  }
}

/** Printable: it ends up on somebody's terminal. */
function clean(text: string): string {
  return text.replace(/\p{C}+/gu, " ").slice(0, 1000)
}
