// GET /distribution/{name}/json: what a registry has under a name, without fetching the image.
import { DhowError } from "../../lib/errors.ts"
import type { Manifest } from "../../oci/manifest.ts"
import type { Platform } from "../../oci/platform.ts"
import { parseReference } from "../../oci/reference.ts"
import type { Registries, Repository } from "../../registry/contract.ts"
import { parseRegistryAuth } from "../../registry/credentials.ts"
import type { DistributionInspect } from "../../wire/registry.ts"
import type { RegistryAccess } from "../contract.ts"
import { DOCUMENT_LIMIT } from "../images/limits.ts"
import { isIndex, isManifest, isObject } from "../images/load/documents.ts"

export async function inspectDistribution(
  registries: Registries,
  name: string,
  { auth, signal }: Parameters<RegistryAccess["distribution"]>[1],
): Promise<DistributionInspect> {
  if (/^(?:sha256:)?[0-9a-f]{64}$/.test(name)) throw new DhowError("invalid", "no manifest found for full image ID")
  const reference = parseReference(name)
  const credentials = parseRegistryAuth(auth)
  const options = { access: "pull", ...(credentials === undefined ? {} : { credentials }) } as const
  const repository = registries.repository(reference, options)
  const found = await repository.manifest(reference.digest ?? reference.tag ?? "latest", { signal })
  const { digest, mediaType, bytes } = found
  const value: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"))
  return {
    Descriptor: { mediaType, digest, size: bytes.length },
    Platforms: await platformsOf(value, { repository, signal }),
  }
}

type Place = { readonly repository: Repository; readonly signal: AbortSignal }

async function platformsOf(value: unknown, place: Place): Promise<readonly Platform[]> {
  if (isIndex(value)) return value.manifests.flatMap(({ platform }) => platform ?? [])
  if (!isManifest(value)) return []
  const found = await platformOf(value, place)
  return found === undefined ? [] : [found]
}

/** As the configuration says it; undefined for what is no image. */
export async function platformOf({ config }: Manifest, { repository, signal }: Place): Promise<Platform | undefined> {
  if (!(config.size <= DOCUMENT_LIMIT))
    throw new DhowError("invalid", `Configuration "${config.digest}" is longer than ${DOCUMENT_LIMIT} bytes`)
  const chunks = await Array.fromAsync(repository.blob(config, { signal }))
  let value: unknown
  try {
    value = JSON.parse(Buffer.concat(chunks).toString("utf8"))
  } catch {
    return undefined
  }
  if (!isObject(value)) return undefined
  const { os, architecture, variant } = value
  if (typeof os !== "string" || typeof architecture !== "string" || os === "" || architecture === "") return undefined
  const extra = { "os.version": value["os.version"], "os.features": value["os.features"] }
  const kept = Object.entries(extra).filter(([, one]) => typeof one === "string" || Array.isArray(one))
  const suffix = typeof variant === "string" && variant !== "" ? { variant } : {}
  return { architecture, os, ...Object.fromEntries(kept), ...suffix }
}
