// Tags and repositories as lists show them: sizes with all that a tag needs, and the platforms that it is for.
import type { ContentStore } from "../../content/contract.ts"
import { timestamp } from "../../lib/time.ts"
import { type Descriptor, isIndexType } from "../../oci/manifest.ts"
import { formatPlatform, type Platform } from "../../oci/platform.ts"
import type { RegistryRepository, RegistryTag } from "../../wire/registry-server.ts"
import { MANIFEST_LIMIT } from "./document.ts"
import type { RepositoryName } from "./names.ts"
import type { ManifestRow, RegistryRecords } from "./records.ts"

type Context = { readonly records: RegistryRecords; readonly content: ContentStore }

export function describeRepositories({ records }: Context): readonly RegistryRepository[] {
  const sizes = records.bytesByName()
  return records.names().map((name) => {
    const manifests = records.manifests(name)
    const latest = (key: "pushed_at" | "pulled_at"): string =>
      timestamp(manifests.reduce((most, row) => Math.max(most, row[key]), 0))
    return {
      name,
      tags: records.tags(name).length,
      manifests: manifests.length,
      size: sizes.get(name) ?? 0,
      pushedAt: latest("pushed_at"),
      pulledAt: latest("pulled_at"),
    }
  })
}

export async function describeTags(context: Context, name: RepositoryName): Promise<readonly RegistryTag[]> {
  const { records } = context
  const found: RegistryTag[] = []
  const platforms = new Map<string, readonly string[]>()
  // One after the other: a repository may have many thousand.
  for (const { tag, digest, tagged_at, pulled_at } of records.tags(name)) {
    const manifest = records.manifest(name, digest)
    if (manifest === undefined) continue
    if (!platforms.has(digest)) platforms.set(digest, await platformsOf(context, manifest))
    found.push({
      name,
      tag,
      digest,
      mediaType: manifest.media_type,
      size: records.treeSize(name, digest),
      platforms: platforms.get(digest) ?? [],
      pushedAt: timestamp(tagged_at),
      pulledAt: timestamp(pulled_at),
    })
  }
  return found
}

type Document = { readonly manifests?: readonly Descriptor[]; readonly config?: Descriptor } & Partial<Platform>

/** Nothing where it is no image, or says nothing of itself. */
async function platformsOf({ records, content }: Context, row: ManifestRow): Promise<readonly string[]> {
  const read = async (digest: ManifestRow["content"]): Promise<Document> =>
    JSON.parse(Buffer.from(await content.read(digest, MANIFEST_LIMIT)).toString("utf8")) as Document
  try {
    const document = await read(row.content)
    const found = isIndexType(row.media_type)
      ? (document.manifests ?? []).map(({ platform }) => platform)
      : [await configOf(document)]
    const known = found.filter((one): one is Platform => isPlatform(one))
    return [...new Set(known.map(formatPlatform))]
  } catch {
    // A configuration may be anything: artifacts have what they like there.
    return []
  }

  async function configOf({ config }: Document): Promise<Document | undefined> {
    const blob = config === undefined ? undefined : records.blob(row.repository, config.digest as never)
    return blob === undefined ? undefined : await read(blob.content)
  }
}

function isPlatform(value: Partial<Platform> | undefined): boolean {
  return typeof value?.os === "string" && typeof value.architecture === "string" && value.os !== "unknown"
}
