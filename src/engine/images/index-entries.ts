// What an index names, read from its stored document: every platform that a target has, whether it is here or not.
import { readFileSync } from "node:fs"
import type { ContentStore } from "../../content/contract.ts"
import type { Digest } from "../../oci/digest.ts"
import { type Descriptor, isIndexType } from "../../oci/manifest.ts"
import type { Platform } from "../../oci/platform.ts"
import { DOCUMENT_LIMIT } from "./limits.ts"
import { isIndex } from "./load/documents.ts"

const DEPTH_LIMIT = 4
/** Descriptors looked at; no index of a person has as many. */
const ENTRY_LIMIT = 1000

type Content = Pick<ContentStore, "has" | "stat" | "path">

/** The manifests below `target`, in the order of its index; undefined where it is no index that could be read. */
export function indexEntries(content: Content, target: Digest): readonly Descriptor[] | undefined {
  return entriesAt(content, target, 0)?.slice(0, ENTRY_LIMIT)
}

function entriesAt(content: Content, target: Digest, depth: number): readonly Descriptor[] | undefined {
  const size = content.stat(target)?.size
  if (depth > DEPTH_LIMIT || size === undefined || size > DOCUMENT_LIMIT) return undefined
  const value: unknown = JSON.parse(readFileSync(content.path(target), "utf8"))
  if (!isIndex(value)) return undefined
  return value.manifests
    .slice(0, ENTRY_LIMIT)
    .flatMap((one) =>
      isIndexType(one.mediaType ?? "") ? (entriesAt(content, one.digest, depth + 1) ?? []) : [cleaned(one)],
    )
}

/** With the fields that others read, in the types that they have: somebody else wrote the document. */
function cleaned({ mediaType, digest, size, annotations, platform }: Descriptor): Descriptor {
  const text = (value: unknown): string => (typeof value === "string" ? value : "")
  const base = { mediaType: text(mediaType), digest, size: Math.max(0, size) || 0 }
  const notes = Object.entries(annotations ?? {}).filter(([, value]) => typeof value === "string")
  const { os, architecture, variant } = (platform ?? {}) as Partial<Record<keyof Platform, unknown>>
  return {
    ...base,
    ...(notes.length === 0 ? {} : { annotations: Object.fromEntries(notes) }),
    ...(typeof os !== "string" || typeof architecture !== "string"
      ? {}
      : { platform: { os, architecture, ...(text(variant) === "" ? {} : { variant: text(variant) }) } }),
  }
}

/** A signature, an attestation or another companion of an image, which uses the same format. */
export function isCompanion({ annotations, platform }: Descriptor): boolean {
  return annotations?.["vnd.docker.reference.type"] !== undefined || platform?.os === "unknown"
}

/** The platforms of the images below `target`. */
export function platformsIn(content: Content, target: Digest): readonly Platform[] {
  return (indexEntries(content, target) ?? []).flatMap((one) => (isCompanion(one) ? [] : (one.platform ?? [])))
}
