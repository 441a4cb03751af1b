// The bytes of a list: fields in the order and with the indentation that docker's client gives them, so that the same
// entries make the same digest, whoever put them together.
import { MEDIA_TYPE } from "../../oci/manifest.ts"
import type { ManifestDescriptor, ManifestPlatform } from "../../wire/manifest.ts"

export type ListBytes = { readonly mediaType: string; readonly bytes: Uint8Array }

export function indexBytes(entries: readonly ManifestDescriptor[]): ListBytes {
  const isOci = entries[0]?.mediaType === MEDIA_TYPE.ociManifest
  const mediaType = isOci ? MEDIA_TYPE.ociIndex : MEDIA_TYPE.dockerManifestList
  const manifests = entries.map(({ mediaType: type, size, digest, platform }) => ({
    mediaType: type,
    size,
    digest,
    platform: inOrder(platform ?? { architecture: "", os: "" }),
  }))
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }, undefined, 3))
  return { mediaType, bytes }
}

function inOrder(platform: ManifestPlatform): ManifestPlatform {
  const { architecture, os, "os.version": version, "os.features": features, variant } = platform
  return {
    architecture,
    os,
    ...(version ? { "os.version": version } : {}),
    ...(features === undefined || features.length === 0 ? {} : { "os.features": features }),
    ...(variant ? { variant } : {}),
  }
}
