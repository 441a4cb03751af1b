// The source of this machine's images under their own names: documents and layers straight from the content store. Layers
// that a manifest names compressed are made again; where nobody knows how, a manifest of the plain ones takes its place,
// always the same.
import type { ContentStore } from "../../content/contract.ts"
import { DhowError } from "../../lib/errors.ts"
import { type Digest, digestOf, isDigest } from "../../oci/digest.ts"
import type { ImageConfig } from "../../oci/image-config.ts"
import { type Descriptor, type ImageIndex, type Manifest, MEDIA_TYPE } from "../../oci/manifest.ts"
import { familiarName, formatReference, parseReference, type Reference } from "../../oci/reference.ts"
import { plainManifest } from "../images/assemble.ts"
import { DOCUMENT_LIMIT } from "../images/limits.ts"
import { isIndex, isManifest } from "../images/load/documents.ts"
import type { ImageRecords, ImageRow } from "../images/records.ts"
import { platformOf } from "../images/records.ts"
import type { ExactLayers } from "./exact-layers.ts"
import { isNamedDigest, type NamedDigest, type RepositoryName } from "./names.ts"
import { pageOf, type ServedManifest, type Source } from "./source.ts"

type Context = { readonly images: ImageRecords; readonly content: ContentStore; readonly exactly: ExactLayers }
type Document = { readonly digest: Digest; readonly mediaType: string; readonly bytes: Uint8Array }

/** A target as it is served: its documents, and the blobs that they name. */
type Form = {
  readonly top: Document
  readonly documents: ReadonlyMap<Digest, Document>
  readonly blobs: ReadonlySet<Digest>
}

const KEPT = 64

export function localImages(context: Context): Source {
  const { images, content } = context
  const forms = new Map<string, Promise<Form | undefined>>()

  /** Blobs do not change, so what was made of them stays true as long as the same ones are here. */
  async function formOf(target: Digest): Promise<Form | undefined> {
    const rows = images.inTarget(target)
    const key = [target, ...rows.map(({ id }) => id).sort()].join(" ")
    const known = forms.get(key)
    forms.delete(key)
    const isWhole = known !== undefined && [...((await known)?.blobs ?? [])].every((digest) => content.has(digest))
    const form = isWhole ? known : (forms.get(key) ?? makeForm(context, target, rows))
    form.catch(() => forms.delete(key))
    forms.set(key, form)
    if (forms.size > KEPT) forms.delete(forms.keys().next().value as string)
    return form
  }

  function targetsOf(name: RepositoryName, host: string): readonly Digest[] {
    const wanted = new Set(namesOf(name, host).map(({ domain, path }) => formatReference({ domain, path, tag: "" })))
    return images
      .tags()
      .filter(({ reference }) => wanted.has(reference.slice(0, reference.lastIndexOf(":") + 1)))
      .map(({ target }) => target)
  }

  async function documentOf(name: RepositoryName, digest: NamedDigest, host: string): Promise<Document | undefined> {
    if (!isDigest(digest)) return undefined
    for (const target of targetsOf(name, host)) {
      const found = (await formOf(target))?.documents.get(digest)
      if (found !== undefined) return found
    }
    return undefined
  }

  return {
    async manifest(name, reference, { host }) {
      if (isNamedDigest(reference)) return servedAs(await documentOf(name, reference, host))
      for (const candidate of namesOf(name, host)) {
        const row = images.tag(formatReference({ ...candidate, tag: reference }))
        if (row !== undefined) return servedAs((await formOf(row.target))?.top)
      }
      return undefined
    },
    async blob(name, digest, { host }) {
      if (!isDigest(digest)) return undefined
      for (const target of targetsOf(name, host)) {
        if ((await formOf(target))?.blobs.has(digest) !== true) continue
        const found = content.stat(digest)
        if (found !== undefined)
          return { kind: "stored", content: digest, size: found.size, path: content.path(digest) }
      }
      return undefined
    },
    async tags(name, page, { host }) {
      const prefixes = namesOf(name, host).map(({ domain, path }) => formatReference({ domain, path, tag: "" }))
      const found = images.tags().flatMap(({ reference }) => {
        const prefix = prefixes.find((one) => reference.startsWith(one) && !reference.includes("@"))
        return prefix === undefined ? [] : [reference.slice(prefix.length)]
      })
      return found.length === 0 ? undefined : pageOf(found, page)
    },
    referrers: async () => undefined,
    names: ({ host }) => [
      ...new Set(
        images
          .tags()
          .map(({ reference }) => parseReference(reference))
          .map((reference) => (reference.domain === host ? reference.path : familiarName(reference)))
          // "localhost:5000/app" of another registry cannot be a name here.
          .filter((name) => !name.includes(":")),
      ),
    ],
  }
}

/** What the repository may be called among the images: as one of this registry, or as the name alone reads. */
function namesOf(name: RepositoryName, host: string): readonly Pick<Reference, "domain" | "path">[] {
  const found: Pick<Reference, "domain" | "path">[] = [{ domain: host, path: name }]
  try {
    const { domain, path } = parseReference(name)
    found.push({ domain, path })
  } catch {
    // A good name of a repository that is no good reference, 64 hex digits for instance.
  }
  return found
}

function servedAs(document: Document | undefined): ServedManifest | undefined {
  if (document === undefined) return undefined
  const { digest, mediaType, bytes } = document
  return { digest: digest as string as NamedDigest, mediaType, size: bytes.length, read: async () => bytes }
}

async function makeForm(context: Context, target: Digest, rows: readonly ImageRow[]): Promise<Form | undefined> {
  const documents = new Map<Digest, Document>()
  const blobs = new Set<Digest>()
  const keep = (document: Document): Document => {
    documents.set(document.digest, document)
    return document
  }
  const top = await readDocument(context.content, target)
  if (!isIndex(top.value)) {
    const [row] = rows
    if (row === undefined) return undefined
    return { top: keep(await imageDocument(context, row, blobs)), documents, blobs }
  }
  const children: Descriptor[] = []
  for (const child of top.value.manifests) {
    const row = rows.find(({ manifest }) => manifest === child.digest)
    if (row === undefined) continue
    const { digest, mediaType, bytes } = keep(await imageDocument(context, row, blobs))
    children.push({ ...child, mediaType, digest, size: bytes.length, platform: child.platform ?? platformOf(row) })
  }
  if (children.length === 0) return undefined
  const isWhole = top.value.manifests.every(({ digest }) => documents.has(digest))
  return { top: keep(isWhole ? top : remadeIndex(top.value, children)), documents, blobs }
}

/** The image's own manifest where every layer that it names can be had; else one of its plain layers. */
async function imageDocument({ content, exactly }: Context, row: ImageRow, blobs: Set<Digest>): Promise<Document> {
  const came = await readDocument(content, row.manifest)
  if (!isManifest(came.value)) throw new DhowError("internal", `Manifest "${row.manifest}" of an image is damaged`)
  const { config: named, layers } = came.value
  const config = await content.read(row.id, DOCUMENT_LIMIT)
  const parsed = JSON.parse(Buffer.from(config).toString("utf8")) as ImageConfig
  const diffIds = parsed.rootfs.diff_ids
  blobs.add(row.id)
  let isWhole = named.digest === row.id && layers.length === diffIds.length
  for (const [at, layer] of layers.entries()) isWhole = isWhole && (await exactly(layer, diffIds[at]!))
  for (const digest of isWhole ? layers.map((layer) => layer.digest) : diffIds) blobs.add(digest)
  return isWhole ? came : documentFrom(plainManifest({ content }, { digest: row.id, size: config.length }, parsed))
}

function remadeIndex({ annotations }: ImageIndex, manifests: readonly Descriptor[]): Document {
  return documentFrom({
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.ociIndex,
    manifests,
    ...(annotations === undefined ? {} : { annotations }),
  })
}

function documentFrom(value: (Manifest | ImageIndex) & { readonly mediaType: string }): Document {
  const bytes = Buffer.from(JSON.stringify(value))
  return { digest: digestOf(bytes), mediaType: value.mediaType, bytes }
}

async function readDocument(content: ContentStore, digest: Digest): Promise<Document & { readonly value: unknown }> {
  const bytes = await content.read(digest, DOCUMENT_LIMIT)
  const value = JSON.parse(Buffer.from(bytes).toString("utf8")) as Manifest | ImageIndex
  const guessed = isIndex(value) ? MEDIA_TYPE.ociIndex : MEDIA_TYPE.ociManifest
  return { digest, bytes, mediaType: value.mediaType ?? guessed, value }
}
