// A container that is to stand on another image: what its creator chose stays, what came from the old image comes from the
// new one. Its own files stay above the new image's.
import type { ImageRunConfig } from "../../../oci/image-config.ts"
import { MEDIA_TYPE } from "../../../oci/manifest.ts"
import type { ContainerConfig } from "../../../wire/container.ts"
import { mergeConfig } from "../merge-config.ts"
import type { ContainerParts, RunnableImage } from "../parts.ts"
import type { ContainerRecord, Editable } from "../record.ts"

export function imageFor(parts: ContainerParts, record: ContainerRecord, reference: string): RunnableImage {
  return parts.resolveImage(reference, record.platform)
}

/** The configuration on another image. `asked` has what the user changes in the same step. */
export function configOn(
  parts: ContainerParts,
  record: ContainerRecord,
  config: ContainerConfig,
  image: RunnableImage,
): ContainerConfig {
  return mergeConfig(withoutImage(config, oldConfig(parts, record)), image.config.config ?? {})
}

export function standOn(
  image: RunnableImage,
  reference: string,
): Omit<Editable, "config" | "hostConfig" | "networkingConfig" | "mounts"> {
  return {
    image: reference,
    imageId: image.id,
    manifest: { mediaType: MEDIA_TYPE.ociManifest, digest: image.manifest, size: 0 },
    platform: image.platform,
    layers: image.layers,
  }
}

/** Nothing where the image is gone: then all of the configuration counts as the creator's. */
function oldConfig(parts: ContainerParts, record: ContainerRecord): ImageRunConfig {
  try {
    return parts.resolveImage(record.imageId, record.platform).config.config ?? {}
  } catch {
    return {}
  }
}

/** What is not the image's. */
export function withoutImage(config: ContainerConfig, image: ImageRunConfig): ContainerConfig {
  const own: ContainerConfig = { ...config }
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a ?? null) === JSON.stringify(b ?? null)
  const inherited = new Set(image.Env ?? [])
  own.Env = (config.Env ?? []).filter((entry) => !inherited.has(entry))
  if (same(config.Entrypoint, image.Entrypoint)) {
    own.Entrypoint = null
    if (same(config.Cmd, image.Cmd)) own.Cmd = null
  }
  if (same(config.User || "", image.User || "")) own.User = ""
  if (same(config.WorkingDir || "", image.WorkingDir || "")) own.WorkingDir = ""
  if (same(config.StopSignal, image.StopSignal)) delete own.StopSignal
  if (same(config.Healthcheck, image.Healthcheck)) delete own.Healthcheck
  own.Labels = Object.fromEntries(
    Object.entries(config.Labels ?? {}).filter(([name, value]) => image.Labels?.[name] !== value),
  )
  own.ExposedPorts = without(config.ExposedPorts, image.ExposedPorts)
  own.Volumes = without(config.Volumes, image.Volumes)
  return own
}

type KeySet = Readonly<Record<string, Record<string, never>>> | null | undefined

function without(own: KeySet, image: KeySet): Record<string, Record<string, never>> {
  return Object.fromEntries(Object.entries(own ?? {}).filter(([key]) => !Object.hasOwn(image ?? {}, key)))
}
