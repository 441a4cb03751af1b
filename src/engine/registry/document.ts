// What a manifest says, read strictly: what is stored names its parts by digests and sizes that can be checked.
import { isIndexType, isManifestType, MEDIA_TYPE } from "../../oci/manifest.ts"
import { RegistryError } from "./errors.ts"
import { isNamedDigest, type NamedDigest, quoted } from "./names.ts"
import type { Link } from "./records.ts"

/** The distribution-spec asks clients to expect at least this. */
export const MANIFEST_LIMIT = 4 << 20

export type ManifestDocument = {
  readonly mediaType: string
  /** What has to be here before it. */
  readonly links: readonly Link[]
  readonly subject: NamedDigest | undefined
  readonly artifactType: string | undefined
  readonly annotations: Readonly<Record<string, string>>
}

type Fields = Readonly<Record<string, unknown>>

/** `contentType` is the request's header, "" where there was none. */
export function readManifest(bytes: Uint8Array, contentType: string): ManifestDocument {
  const value = parse(bytes)
  const mediaType = mediaTypeOf(value, contentType.split(";")[0]!.trim().toLowerCase())
  if (value["schemaVersion"] !== 2)
    throw invalid(`its schemaVersion is ${quoted(String(value["schemaVersion"]))}, not 2`)
  const links = isIndexType(mediaType) ? indexLinks(value) : imageLinks(value)
  const { subject, artifactType } = value
  const config = fieldsOf(value["config"])
  const type = artifactType === undefined || artifactType === "" ? config?.["mediaType"] : artifactType
  return {
    mediaType,
    links: [...new Map(links.map((link) => [link.digest, link])).values()],
    subject: subject === undefined || subject === null ? undefined : linkOf(subject, "manifest", "subject").digest,
    artifactType: typeof type === "string" ? type : undefined,
    annotations: annotationsOf(value["annotations"]),
  }
}

function parse(bytes: Uint8Array): Fields {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new RegistryError("MANIFEST_INVALID", "Manifest is not JSON", { cause })
  }
  const fields = fieldsOf(value)
  if (fields === undefined) throw invalid("it is no JSON object")
  return fields
}

function mediaTypeOf(value: Fields, header: string): string {
  const own = value["mediaType"]
  if (own !== undefined && typeof own !== "string") throw invalid("its mediaType is no text")
  const isSaid = header !== "" && header !== "application/json" && header !== "application/octet-stream"
  if (isSaid && own !== undefined && own !== "" && own !== header)
    throw invalid(`its mediaType is ${quoted(own)}, and the Content-Type ${quoted(header)}`)
  const guessed = Array.isArray(value["manifests"]) ? MEDIA_TYPE.ociIndex : MEDIA_TYPE.ociManifest
  const mediaType = isSaid ? header : own || guessed
  if (!isIndexType(mediaType) && !isManifestType(mediaType))
    throw invalid(`media type ${quoted(mediaType)} is not supported`)
  return mediaType
}

function imageLinks(value: Fields): Link[] {
  const { layers } = value
  if (!Array.isArray(layers)) throw invalid("its layers are no list")
  if (value["manifests"] !== undefined) throw invalid("it has both layers and manifests")
  const config = linkOf(value["config"], "blob", "config")
  // Layers that may not be distributed lie elsewhere, and are not asked for here.
  const own = (layers as unknown[]).filter((layer) => !isForeign(fieldsOf(layer)))
  return [config, ...own.map((layer, at) => linkOf(layer, "blob", `layer ${at + 1}`))]
}

function indexLinks(value: Fields): Link[] {
  const { manifests } = value
  if (!Array.isArray(manifests)) throw invalid("its manifests are no list")
  if (value["layers"] !== undefined) throw invalid("it has both layers and manifests")
  return (manifests as unknown[]).map((one, at) => linkOf(one, "manifest", `manifest ${at + 1}`))
}

function isForeign(descriptor: Fields | undefined): boolean {
  const mediaType = descriptor?.["mediaType"]
  return typeof mediaType === "string" && /\.nondistributable\.|\.foreign\./.test(mediaType)
}

function linkOf(value: unknown, kind: Link["kind"], what: string): Link {
  const { digest, size, mediaType } = fieldsOf(value) ?? {}
  if (typeof mediaType !== "string" || mediaType === "") throw invalid(`its ${what} has no mediaType`)
  if (typeof digest !== "string" || !isNamedDigest(digest)) throw invalid(`its ${what} has no digest`)
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) throw invalid(`its ${what} has no size`)
  return { digest, kind, size }
}

function annotationsOf(value: unknown): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {}
  const fields = fieldsOf(value)
  if (fields === undefined || Object.values(fields).some((one) => typeof one !== "string"))
    throw invalid("its annotations are no texts")
  return fields as Readonly<Record<string, string>>
}

function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined
}

function invalid(detail: string): RegistryError {
  return new RegistryError("MANIFEST_INVALID", `Manifest is invalid: ${detail}`)
}
