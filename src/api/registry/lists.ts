// What there is: repositories, tags, and what refers to a manifest; page by page, the next one named by Link.
import { RegistryError } from "../../engine/registry/errors.ts"
import { parseNamedDigest, parseRepositoryName } from "../../engine/registry/names.ts"
import { pageOf, type Referrer } from "../../engine/registry/source.ts"
import { MEDIA_TYPE } from "../../oci/manifest.ts"
import { countOf, jsonResponse, type RegistryCall, type RegistryRoute } from "./call.ts"

/** A page that nobody limits, and the longest that somebody may ask for. */
const MOST = 10_000
/** Bytes of a page of referrers: what clients expect to be able to read. */
const REFERRERS_BYTES = 3 << 20

export const tagsRoute: RegistryRoute = { path: /^\/v2\/(.+)\/tags\/list$/, label: "tags", methods: { GET: tags } }
export const catalogRoute: RegistryRoute = { path: /^\/v2\/_catalog$/, label: "catalog", methods: { GET: catalog } }
export const referrersRoute: RegistryRoute = {
  path: /^\/v2\/(.+)\/referrers\/([^/]+)$/,
  label: "referrers",
  methods: { GET: referrers },
}

async function tags(call: RegistryCall): Promise<Response> {
  const { host, query, request, source } = call
  const name = parseRepositoryName(call.name)
  const { most, last } = pageAsked(query)
  const found = await source.tags(name, { last, most: most + 1 }, { host, signal: request.signal })
  if (found === undefined) throw new RegistryError("NAME_UNKNOWN", `There is no repository "${name}"`)
  const page = found.slice(0, most)
  return jsonResponse(
    { name, tags: page },
    nextLink(call, `/v2/${name}/tags/list`, { page, most, isMore: found.length > most }),
  )
}

function catalog(call: RegistryCall): Response {
  const { most, last } = pageAsked(call.query)
  const found = pageOf(call.source.names(call), { last, most: most + 1 })
  const page = found.slice(0, most)
  return jsonResponse(
    { repositories: page },
    nextLink(call, "/v2/_catalog", { page, most, isMore: found.length > most }),
  )
}

function pageAsked(query: URLSearchParams): { readonly most: number; readonly last: string } {
  return { most: Math.min(countOf(query.get("n")) ?? MOST, MOST), last: query.get("last") ?? "" }
}

function nextLink(
  { query }: RegistryCall,
  path: string,
  { page, most, isMore }: { readonly page: readonly string[]; readonly most: number; readonly isMore: boolean },
): Readonly<Record<string, string>> {
  const last = page.at(-1)
  if (!isMore || last === undefined) return {}
  const next = new URLSearchParams({ n: query.get("n") ?? String(most), last })
  return { Link: `<${path}?${next}>; rel="next"` }
}

async function referrers(call: RegistryCall): Promise<Response> {
  const { host, query, request, source } = call
  const name = parseRepositoryName(call.name)
  const subject = parseNamedDigest(call.reference)
  const artifactType = query.get("artifactType") ?? ""
  const after = query.get("last") ?? ""
  const all = (await source.referrers(name, subject, { host, signal: request.signal })) ?? []
  const from = after === "" ? 0 : all.findIndex(({ digest }) => digest === after) + 1
  const manifests: Referrer[] = []
  let bytes = 0
  let isMore = false
  for (const referrer of all.slice(from)) {
    if (artifactType !== "" && referrer.artifactType !== artifactType) continue
    bytes += JSON.stringify(referrer).length
    isMore = bytes > REFERRERS_BYTES && manifests.length > 0
    if (isMore) break
    manifests.push(referrer)
  }
  const last = manifests.at(-1)?.digest ?? ""
  const next = new URLSearchParams({ ...(artifactType === "" ? {} : { artifactType }), last })
  return jsonResponse(
    { schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests },
    {
      "Content-Type": MEDIA_TYPE.ociIndex,
      ...(artifactType === "" ? {} : { "OCI-Filters-Applied": "artifactType" }),
      ...(isMore ? { Link: `</v2/${name}/referrers/${subject}?${next}>; rel="next"` } : {}),
    },
  )
}
