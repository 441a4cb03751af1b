// GET /images/search: a registry and a word out of the term, and Docker's filters over what the registry answers.
import { DhowError } from "../../lib/errors.ts"
import type { Registries } from "../../registry/contract.ts"
import { parseRegistryAuth } from "../../registry/credentials.ts"
import type { SearchResult } from "../../wire/registry.ts"
import type { RegistryAccess } from "../contract.ts"
import { booleanFilter, rejectUnknownFilters } from "../filters.ts"

const USUAL_LIMIT = 25
const HIGHEST_LIMIT = 100

type Options = Parameters<RegistryAccess["search"]>[1]

export async function searchImages(
  registries: Registries,
  term: string,
  { limit: asked, filters, auth, signal }: Options,
): Promise<SearchResult[]> {
  rejectUnknownFilters(filters, ["is-automated", "is-official", "stars"])
  // Docker knows no automated images any more.
  if (booleanFilter(filters, "is-automated", false)) return []
  const official = filters.has("is-official") ? booleanFilter(filters, "is-official", false) : undefined
  const stars = Math.max(0, ...(filters.get("stars") ?? []).map(starsOf))
  if (/^https?:\/\//.test(term))
    throw new DhowError("invalid", `invalid repository name: repository name (${term}) should not have a scheme`)
  const limit = asked === undefined || asked === 0 ? USUAL_LIMIT : asked
  if (limit < 1 || limit > HIGHEST_LIMIT)
    throw new DhowError("invalid", `limit ${limit} is outside the range of [1, ${HIGHEST_LIMIT}]`)
  const credentials = parseRegistryAuth(auth)
  const found = await registries.search({
    ...splitTerm(term),
    limit,
    signal,
    ...(credentials === undefined ? {} : { credentials }),
  })
  return found
    .filter((one) => (official === undefined || one.isOfficial === official) && one.stars >= stars)
    .map((one) => ({
      star_count: one.stars,
      is_official: one.isOfficial,
      name: one.name,
      is_automated: false,
      description: one.description,
    }))
}

function splitTerm(term: string): { readonly server: string; readonly term: string } {
  const slash = term.indexOf("/")
  const first = slash < 0 ? "" : term.slice(0, slash)
  if (!/[.:]/.test(first) && first !== "localhost") return { server: "docker.io", term: term.replace(/^library\//, "") }
  return { server: first, term: term.slice(slash + 1) }
}

function starsOf(text: string): number {
  if (/^[+-]?\d{1,9}$/.test(text)) return Number(text)
  throw new DhowError("invalid", `invalid filter 'stars=${text}'`)
}
