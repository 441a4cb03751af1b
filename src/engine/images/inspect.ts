// GET /images/{name}/json.
import type { Platform } from "../../oci/platform.ts"
import type { ImageInspect } from "../../wire/image.ts"
import { familiar, type ImagesContext, isCanonical } from "./context.ts"
import { descriptorOf, manifestsOf } from "./manifests.ts"
import { findImage } from "./resolve.ts"

const NEVER = "0001-01-01T00:00:00Z"

/** What Docker's older builders wrote beside the specification's fields. */
type DockerFields = { readonly comment?: string; readonly docker_version?: string }

export function inspectImage(
  context: Pick<ImagesContext, "records" | "configs" | "content" | "containers" | "snapshotter">,
  reference: string,
  { platform, manifests = false }: { readonly platform?: Platform; readonly manifests?: boolean } = {},
): ImageInspect {
  const { records, configs, snapshotter } = context
  const row = findImage(records, reference, platform)
  const target = row.target ?? row.manifest
  const config = configs.read(row.id)
  const legacy = config as DockerFields
  const tags = records.tagsOf(row.id)
  const tagged = Math.max(0, ...tags.map((tag) => tag.tagged_at))
  const variant = config.variant ?? row.variant
  const osVersion = config["os.version"]
  return {
    Id: row.id,
    RepoTags: tags.filter((tag) => !isCanonical(tag.reference)).map((tag) => familiar(tag.reference)),
    RepoDigests: tags.filter((tag) => isCanonical(tag.reference)).map((tag) => familiar(tag.reference)),
    Parent: "",
    Comment: legacy.comment || (config.history?.at(-1)?.comment ?? ""),
    Created: config.created ?? "",
    DockerVersion: legacy.docker_version ?? "",
    Author: config.author ?? "",
    Config: config.config ?? {},
    Architecture: config.architecture,
    ...(variant === "" ? {} : { Variant: variant }),
    Os: config.os,
    ...(osVersion === undefined ? {} : { OsVersion: osVersion }),
    Size: row.size,
    GraphDriver: { Name: snapshotter.name, Data: null },
    RootFS: { Type: "layers", Layers: [...config.rootfs.diff_ids] },
    Metadata: { LastTagTime: tagged === 0 ? NEVER : new Date(tagged).toISOString() },
    Descriptor: descriptorOf(context, platform === undefined ? target : row.manifest),
    ...(manifests ? { Manifests: manifestsOf(context, [target]) } : {}),
  }
}
