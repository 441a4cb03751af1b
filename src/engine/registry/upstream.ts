// The source of other registries' content: fetched when it is asked for, kept, and served from here the next time. A tag
// is believed for a minute, then its registry is asked again; where that cannot be, what is here is served with a warning.
import type { ContentStore } from "../../content/contract.ts"
import { DhowError, describeError, isKind } from "../../lib/errors.ts"
import { type Digest, isDigest } from "../../oci/digest.ts"
import { parseReference } from "../../oci/reference.ts"
import type { FetchedManifest, Registries, Repository } from "../../registry/contract.ts"
import type { RegistryProxy } from "../../wire/registry-server.ts"
import { MANIFEST_LIMIT, readManifest } from "./document.ts"
import type { Fetches } from "./fetches.ts"
import { isNamedDigest, type NamedDigest, type RepositoryName, type Tag } from "./names.ts"
import { referrerOf, served, storedBlob } from "./pushed.ts"
import type { ManifestRow, RegistryRecords } from "./records.ts"
import { pageOf, type ServedManifest, type Source } from "./source.ts"

const FRESH_MILLISECONDS = 60_000
/** Trying takes seconds: a registry that is away is not tried for everybody who asks. */
const AWAY_MILLISECONDS = 30_000

export type CacheResult = "hit" | "miss" | "stale"

type Context = {
  readonly records: RegistryRecords
  readonly content: ContentStore
  readonly registries: Registries
  readonly fetches: Fetches
  readonly count: (result: CacheResult) => void
}

/** Which proxy a name belongs to, by the longest prefix, and what the name is there. */
export function proxyFor(
  proxies: readonly RegistryProxy[],
  name: string,
): { readonly proxy: RegistryProxy; readonly rest: string } | undefined {
  const found = proxies
    .filter(({ prefix }) => prefix === "" || name.startsWith(`${prefix}/`))
    .sort((a, b) => b.prefix.length - a.prefix.length)[0]
  if (found === undefined) return undefined
  return { proxy: found, rest: found.prefix === "" ? name : name.slice(found.prefix.length + 1) }
}

export function upstreamSource(context: Context, proxies: readonly RegistryProxy[]): Source {
  const { records, content, registries, fetches, count } = context
  const asking = new Map<string, Promise<ManifestRow | undefined>>()
  const away = new Map<string, { readonly until: number; readonly error: unknown }>()

  /** Asks the registry behind a name, unless it was found to be away a moment ago. */
  async function ask<T>(name: RepositoryName, question: () => Promise<T>): Promise<T> {
    const upstream = proxyFor(proxies, name)?.proxy.upstream ?? ""
    const known = away.get(upstream)
    if (known !== undefined && known.until > Date.now()) throw known.error
    try {
      const answer = await question()
      away.delete(upstream)
      return answer
    } catch (error) {
      if (isKind(error, "unavailable")) away.set(upstream, { until: Date.now() + AWAY_MILLISECONDS, error })
      throw error
    }
  }

  function repositoryOf(name: RepositoryName): Repository | undefined {
    const found = proxyFor(proxies, name)
    if (found === undefined) return undefined
    const { domain, path } = parseReference(`${found.proxy.upstream}/${found.rest}`)
    return registries.repository({ domain, path }, { access: "pull" })
  }

  /** What many ask for at once is fetched once. */
  function fetchManifest(
    name: RepositoryName,
    reference: Tag | NamedDigest,
    repository: Repository,
  ): Promise<ManifestRow | undefined> {
    const key = `${name} ${reference}`
    const before = asking.get(key)
    if (before !== undefined) return before
    const work = (async () => {
      count("miss")
      // Of its own: whoever asked first may leave before the others.
      const signal = AbortSignal.timeout(FRESH_MILLISECONDS)
      const fetched = await orNothing(ask(name, () => repository.manifest(reference, { signal })))
      return fetched === undefined ? undefined : await keep(context, name, { reference, fetched })
    })().finally(() => asking.delete(key))
    asking.set(key, work)
    return work
  }

  async function byTag(
    name: RepositoryName,
    tag: Tag,
    { repository, signal }: { readonly repository: Repository; readonly signal: AbortSignal },
  ): Promise<ServedManifest | undefined> {
    const known = records.tag(name, tag)
    // Pushed here, before the name was given to another registry: it is not ours to replace.
    if (known?.checked_at === null) return undefined
    const row = known === undefined ? undefined : records.manifest(name, known.digest)
    if (known !== undefined && row !== undefined && (known.checked_at ?? 0) > Date.now() - FRESH_MILLISECONDS)
      return hit(row)
    try {
      const digest = row === undefined ? undefined : await ask(name, () => repository.head(tag, { signal }))
      if (row !== undefined && digest !== undefined && digest === (row.digest as string)) {
        records.putTag(name, tag, { digest: row.digest, checked: true })
        return hit(row)
      }
      const fetched = await fetchManifest(name, tag, repository)
      return fetched === undefined ? forgotten(name, tag) : served(content, fetched)
    } catch (error) {
      if (isKind(error, "not-found")) return forgotten(name, tag)
      if (row === undefined || known === undefined) throw unreachable(name, error)
      count("stale")
      const since = new Date(known.checked_at ?? known.tagged_at).toISOString()
      return { ...served(content, row), warning: `${name}:${tag} is as of ${since}: its registry cannot be asked` }
    }
  }

  function hit(row: ManifestRow): ServedManifest {
    count("hit")
    records.touchManifest(row)
    return served(content, row)
  }

  function forgotten(name: RepositoryName, tag: Tag): undefined {
    records.dropTag(name, tag)
  }

  return {
    async manifest(name, reference, { signal }) {
      const repository = repositoryOf(name)
      if (repository === undefined) return undefined
      if (!isNamedDigest(reference)) return await byTag(name, reference, { repository, signal })
      const row = records.manifest(name, reference)
      if (row !== undefined) return hit(row)
      try {
        const fetched = await fetchManifest(name, reference, repository)
        return fetched === undefined ? undefined : served(content, fetched)
      } catch (error) {
        throw unreachable(name, error)
      }
    },

    async blob(name, digest) {
      const repository = repositoryOf(name)
      if (repository === undefined) return undefined
      const row = records.blob(name, digest)
      if (row !== undefined) {
        count("hit")
        return storedBlob(content, row)
      }
      const size = records.linkedSize(name, digest)
      if (size === undefined || !isDigest(digest)) return undefined
      const put = (): void => records.putBlob({ repository: name, digest, content: digest, size })
      if (content.stat(digest)?.size === size) {
        count("hit")
        put()
        return storedBlob(content, { content: digest, size })
      }
      return {
        kind: "arriving",
        size,
        stream(offset) {
          count("miss")
          return fetches.join({ digest: digest as Digest, size }, repository, put).stream(offset)
        },
      }
    },

    async tags(name, page, { signal }) {
      const repository = repositoryOf(name)
      if (repository === undefined) return undefined
      try {
        return pageOf(await ask(name, () => repository.tags({ signal })), page)
      } catch (error) {
        if (isKind(error, "not-found")) return undefined
        if (!records.knows(name)) throw unreachable(name, error)
        return records.tagNames(name, page)
      }
    },

    async referrers(name, subject, { signal }) {
      const repository = repositoryOf(name)
      if (repository === undefined || !isDigest(subject)) return undefined
      try {
        return await ask(name, () => repository.referrers(subject, { signal }))
      } catch (error) {
        if (!records.knows(name)) throw unreachable(name, error)
        return records.referrers(name, subject).map(referrerOf)
      }
    },

    names: () => [],
  }
}

/** The manifest with its rows, as if it had been pushed; what it names is not here yet. */
async function keep(
  { records, content }: Pick<Context, "records" | "content">,
  name: RepositoryName,
  { reference, fetched }: { readonly reference: Tag | NamedDigest; readonly fetched: FetchedManifest },
): Promise<ManifestRow> {
  const { bytes, digest, mediaType } = fetched
  if (bytes.length > MANIFEST_LIMIT)
    throw new DhowError("unavailable", `Manifest "${digest}" is longer than ${MANIFEST_LIMIT} bytes`)
  const document = readManifest(bytes, mediaType)
  using lease = content.lease()
  lease.hold(digest)
  await content.put(bytes)
  const now = Date.now()
  const named = digest as string as NamedDigest
  const row: ManifestRow = {
    repository: name,
    digest: named,
    content: digest,
    media_type: document.mediaType,
    size: bytes.length,
    subject: document.subject ?? null,
    artifact_type: document.artifactType ?? null,
    annotations: document.subject === undefined ? null : JSON.stringify(document.annotations),
    pushed_at: now,
    pulled_at: now,
  }
  records.transaction(() => {
    records.putManifest(row, document.links)
    if (!isNamedDigest(reference)) records.putTag(name, reference, { digest: named, checked: true })
  })
  return row
}

async function orNothing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (isKind(error, "not-found")) return undefined
    throw error
  }
}

/** What another registry did is not this one's failure. */
function unreachable(name: RepositoryName, cause: unknown): DhowError {
  return new DhowError("unavailable", `"${name}" cannot be fetched: ${describeError(cause)}`, { cause })
}
