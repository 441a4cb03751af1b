// JSON of an image archive, with the shape checked that the readers rely on.
import { DhowError } from "../../../lib/errors.ts"
import { isDigest } from "../../../oci/digest.ts"
import type { Descriptor, ImageIndex, Manifest } from "../../../oci/manifest.ts"
import { DOCUMENT_LIMIT } from "../limits.ts"
import type { Archive, Spooled } from "./spool.ts"

export async function readDocument(archive: Archive, file: Spooled, name: string): Promise<unknown> {
  if (file.size > DOCUMENT_LIMIT)
    throw new DhowError("invalid", `"${name}" in the image archive is longer than ${DOCUMENT_LIMIT} bytes`)
  try {
    return JSON.parse(Buffer.from(await archive.read(file)).toString("utf8"))
  } catch (cause) {
    throw new DhowError("invalid", `"${name}" in the image archive is not JSON`, { cause })
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

export function isIndex(value: unknown): value is ImageIndex {
  return isObject(value) && Array.isArray(value["manifests"]) && value["manifests"].every(isDescriptor)
}

export function isManifest(value: unknown): value is Manifest {
  if (!isObject(value) || !isDescriptor(value["config"])) return false
  return Array.isArray(value["layers"]) && value["layers"].every(isDescriptor)
}

function isDescriptor(value: unknown): value is Descriptor {
  if (!isObject(value) || typeof value["digest"] !== "string" || !isDigest(value["digest"])) return false
  const { size, mediaType, annotations, platform } = value
  return (
    typeof size === "number" &&
    (mediaType === undefined || typeof mediaType === "string") &&
    (annotations === undefined || annotations === null || isObject(annotations)) &&
    (platform === undefined || platform === null || isObject(platform))
  )
}

export function isStringArray(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string")
}
