// The configuration of an image that is being pulled: small, fetched first, because it says which layers are here already.
import { DhowError } from "../../../lib/errors.ts"
import type { ImageConfig } from "../../../oci/image-config.ts"
import type { Manifest } from "../../../oci/manifest.ts"
import { formatPlatform, type Platform, platformDistance } from "../../../oci/platform.ts"
import type { ImagesContext } from "../context.ts"
import { DOCUMENT_LIMIT } from "../limits.ts"
import { parseConfig } from "../parse-config.ts"
import { variantOf } from "../variant.ts"
import type { Place } from "./target.ts"

export async function fetchConfig(
  { content }: Pick<ImagesContext, "content">,
  { config: descriptor, layers }: Manifest,
  options: Place & {
    readonly platform: Platform | undefined
    readonly compatible: boolean
    /** What the index says that it is for. */
    readonly named: Platform | undefined
    readonly asked: string
  },
): Promise<{ readonly config: ImageConfig; readonly variant: string }> {
  const { compatible, named, repository, lease, platform, signal } = options
  const { digest, size } = descriptor
  lease.hold(digest)
  if (!content.has(digest)) {
    if (!(size <= DOCUMENT_LIMIT))
      throw new DhowError("invalid", `Configuration "${digest}" is longer than ${DOCUMENT_LIMIT} bytes`)
    await content.ingest(repository.blob({ digest, size }, { signal }), { expect: { digest, size }, signal })
  }
  const config = parseConfig(await content.read(digest), digest)
  if (config.os !== "linux")
    throw new DhowError("invalid", `image operating system "${config.os}" cannot be used on this platform`)
  const { os, architecture } = config
  const variant = config.variant ?? variantOf(named, architecture)
  const found: Platform = variant === "" ? { os, architecture } : { os, architecture, variant }
  const distance = platform === undefined ? 0 : platformDistance(platform, found, { compatible })
  if (platform !== undefined && (compatible ? distance === Number.POSITIVE_INFINITY : distance > 0))
    throw new DhowError(
      "not-found",
      `image with reference ${options.asked} was found but its platform (${formatPlatform(found)}) ` +
        `does not match the specified platform (${formatPlatform(platform)})`,
    )
  const expected = config.rootfs.diff_ids.length
  if (layers.length !== expected)
    throw new DhowError(
      "invalid",
      `invalid manifest, layers length mismatch: expected ${layers.length}, got ${expected}`,
    )
  return { config, variant }
}
