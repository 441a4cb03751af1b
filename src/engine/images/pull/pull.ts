// POST /images/create: distro.local is built here, from the distribution's signed packages; every other name is fetched
// from its registry.
import { DhowError } from "../../../lib/errors.ts"
import { formatPlatform, hostPlatform, normalizePlatform } from "../../../oci/platform.ts"
import {
  familiarName,
  familiarReference,
  formatReference,
  parseReference,
  type Reference,
  withDefaultTag,
} from "../../../oci/reference.ts"
import type { Registries } from "../../../registry/contract.ts"
import type { Database } from "../../../state/database.ts"
import type { Images } from "../../contract.ts"
import { emitImageEvent, type ImagesContext } from "../context.ts"
import type { Built } from "../distro/build.ts"
import { distroBuilds } from "../distro/builds.ts"
import { SharedWork } from "../shared-work.ts"
import { registryPuller } from "./registry.ts"

const LOCAL = "distro.local"

type PullOptions = Parameters<Images["pull"]>[1]

export function openPuller(
  context: ImagesContext,
  { database, registries }: { readonly database: Database; readonly registries: Registries },
): Images["pull"] {
  const work = new SharedWork<Built>()
  const builds = distroBuilds(database)
  const fetchImage = registryPuller(context, registries)

  async function build(reference: Reference, options: PullOptions): Promise<void> {
    const { progress, signal } = options
    if (reference.tag === undefined || reference.digest !== undefined)
      throw new DhowError("invalid", `Images of ${LOCAL} are built, not fetched: name a tag, not a digest`)
    const { path: name, tag } = reference
    const platform = normalizePlatform(options.platform ?? hostPlatform())
    const stored = formatReference(reference)
    const before = context.records.named(stored).map(({ id }) => id)
    progress({ status: `Pulling from ${name}`, id: tag })
    const { buildDistribution } = await import("../distro/build.ts")
    const built = await work.join(`${stored} ${formatPlatform(platform)}`, { progress, signal }, (shared) =>
      buildDistribution(context, { name, tag, platform }, { ...shared, reference: stored, builds }),
    )
    const status = before.includes(built.id) ? "Image is up to date for" : "Downloaded newer image for"
    progress({ status: `Digest: ${built.target}` })
    progress({ status: `Status: ${status} ${familiarReference(reference)}` })
    const actor = familiarReference(reference)
    emitImageEvent(context, "pull", { id: built.id, actor, name: familiarName(reference) })
  }

  return async (text, options) => {
    const reference = parseReference(text)
    if (reference.domain === LOCAL) await build(withDefaultTag(reference), options)
    else await fetchImage(reference, options)
  }
}
