// Where a repository's content comes from: what was pushed here, the images of this machine, another registry. A
// listener asks its sources in order, and the first that knows answers.
import type { Digest } from "../../oci/digest.ts"
import type { NamedDigest, RepositoryName, Tag } from "./names.ts"

export type ServedManifest = {
  readonly digest: NamedDigest
  readonly mediaType: string
  readonly size: number
  read(): Promise<Uint8Array>
  /** What a client should be told: that another registry could not be asked, for instance. */
  readonly warning?: string
}

export type ServedBlob =
  | { readonly kind: "stored"; readonly content: Digest; readonly size: number; readonly path: string }
  /** On its way here: the bytes from `offset` on, as they arrive. */
  | { readonly kind: "arriving"; readonly size: number; stream(offset: number): AsyncIterable<Uint8Array> }

export type Asked = {
  /** What the client calls this registry: "localhost:5000". */
  readonly host: string
  /** Only whether it is there is asked. */
  readonly head: boolean
  readonly signal: AbortSignal
}

/** Undefined is: not mine. */
export interface Source {
  manifest(name: RepositoryName, reference: Tag | NamedDigest, asked: Asked): Promise<ServedManifest | undefined>
  blob(name: RepositoryName, digest: NamedDigest, asked: Asked): Promise<ServedBlob | undefined>
  /** In the order of their bytes, those after `last`. */
  tags(name: RepositoryName, page: Page, asked: Pick<Asked, "host" | "signal">): Promise<readonly string[] | undefined>
  /** What says that the manifest is its subject. */
  referrers(
    name: RepositoryName,
    subject: NamedDigest,
    asked: Pick<Asked, "host" | "signal">,
  ): Promise<readonly Referrer[] | undefined>
  names(asked: Pick<Asked, "host">): readonly string[]
}

export type Referrer = {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly artifactType?: string
  readonly annotations?: Readonly<Record<string, string>>
}

export type Page = { readonly last: string; readonly most: number }

/** The first page of a longer list. */
export function pageOf(all: Iterable<string>, { last, most }: Page): readonly string[] {
  // As SQLite compares: by bytes, which for these names is by UTF-16 units.
  return [...new Set(all)]
    .filter((one) => one > last)
    .sort((a, b) => (a < b ? -1 : 1))
    .slice(0, most)
}

/** Sources as one. Lists are put together; everything else comes from the first that has it. */
export function firstOf(sources: readonly Source[]): Source {
  async function first<T>(ask: (source: Source) => Promise<T | undefined>): Promise<T | undefined> {
    for (const source of sources) {
      const found = await ask(source)
      if (found !== undefined) return found
    }
    return undefined
  }
  return {
    manifest: (name, reference, asked) => first((source) => source.manifest(name, reference, asked)),
    blob: (name, digest, asked) => first((source) => source.blob(name, digest, asked)),
    async tags(name, page, asked) {
      const lists = await Promise.all(sources.map((source) => source.tags(name, page, asked)))
      const known = lists.filter((list) => list !== undefined)
      return known.length === 0 ? undefined : pageOf(known.flat(), page)
    },
    async referrers(name, subject, asked) {
      const lists = await Promise.all(sources.map((source) => source.referrers(name, subject, asked)))
      return [...new Map(lists.flatMap((list) => list ?? []).map((one) => [one.digest, one])).values()]
    },
    names: (asked) => [...new Set(sources.flatMap((source) => source.names(asked)))].sort(),
  }
}

/** One source for the names that a test picks, another for the rest; the list of names is the rest's. */
export function splitSource(picks: (name: RepositoryName) => boolean, picked: Source, rest: Source): Source {
  const of = (name: RepositoryName): Source => (picks(name) ? picked : rest)
  return {
    manifest: (name, reference, asked) => of(name).manifest(name, reference, asked),
    blob: (name, digest, asked) => of(name).blob(name, digest, asked),
    tags: (name, page, asked) => of(name).tags(name, page, asked),
    referrers: (name, subject, asked) => of(name).referrers(name, subject, asked),
    names: (asked) => rest.names(asked),
  }
}
