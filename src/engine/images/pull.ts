// POST /images/create: distro.local is built here, from the distribution's signed packages. Registries are not spoken to
// yet, and the answer says so.
import { DhowError } from "../../lib/errors.ts"
import { formatPlatform, hostPlatform, normalizePlatform, type Platform } from "../../oci/platform.ts"
import {
  familiarName,
  familiarReference,
  formatReference,
  parseReference,
  withDefaultTag,
} from "../../oci/reference.ts"
import type { Database } from "../../state/database.ts"
import type { Images, Progress } from "../contract.ts"
import { emitImageEvent, type ImagesContext } from "./context.ts"
import { type Built, buildDistribution } from "./distro/build.ts"
import { distroBuilds } from "./distro/builds.ts"
import { SharedWork } from "./distro/shared-work.ts"

const LOCAL = "distro.local"

export function openPuller(context: ImagesContext, database: Database): Images["pull"] {
  const work = new SharedWork<Built>()
  const builds = distroBuilds(database)

  async function pull(
    text: string,
    options: { readonly platform?: Platform; readonly progress: Progress; readonly signal: AbortSignal },
  ): Promise<void> {
    const { progress, signal } = options
    const reference = withDefaultTag(parseReference(text))
    if (reference.domain !== LOCAL)
      throw new DhowError(
        "not-implemented",
        `pull access to registry "${reference.domain}" is not available in this version`,
        {
          hint: `Load or import the image instead, or use ${LOCAL}/debian or ${LOCAL}/busybox`,
        },
      )
    if (reference.tag === undefined || reference.digest !== undefined)
      throw new DhowError("invalid", `Images of ${LOCAL} are built, not fetched: name a tag, not a digest`)
    const { path: name, tag } = reference
    const platform = normalizePlatform(options.platform ?? hostPlatform())
    const stored = formatReference(reference)
    const before = context.records.tag(stored)?.target
    progress({ status: `Pulling from ${name}`, id: tag })
    const built = await work.join(`${stored} ${formatPlatform(platform)}`, { progress, signal }, (shared) =>
      buildDistribution(context, { name, tag, platform }, { ...shared, reference: stored, builds }),
    )
    const status = before === built.manifest ? "Image is up to date for" : "Downloaded newer image for"
    progress({ status: `Digest: ${built.manifest}` })
    progress({ status: `Status: ${status} ${familiarReference(reference)}` })
    const actor = familiarReference(reference)
    emitImageEvent(context, "pull", { id: built.id, actor, name: familiarName(reference) })
  }
  return pull
}
