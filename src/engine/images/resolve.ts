// From what a user writes to the image that is meant: name[:tag][@digest], id, or a unique prefix of an id. Synchronous
// and on the way of every container start: two prepared statements and a cached configuration.
import { DhowError, isKind } from "../../lib/errors.ts"
import { type Digest, isDigest } from "../../oci/digest.ts"
import type { ImageConfig } from "../../oci/image-config.ts"
import { formatPlatform, hostPlatform, type Platform, runsNatively, samePlatform } from "../../oci/platform.ts"
import {
  familiarReference,
  formatReference,
  parseReference,
  type Reference,
  withDefaultTag,
} from "../../oci/reference.ts"
import { choosePlatform, type PlatformChoice } from "./choose-platform.ts"
import type { Configs } from "./configs.ts"
import type { LastUsed } from "./last-used.ts"
import { type ImageRecords, type ImageRow, platformOf } from "./records.ts"

export type ResolvedImage = {
  readonly id: Digest
  /** The manifest it came with, or was given. */
  readonly manifest: Digest
  readonly platform: Platform
  readonly config: ImageConfig
  /** Diff ids, lowest first. */
  readonly layers: readonly Digest[]
  /** Canonical names that hold the image: "docker.io/library/busybox:latest". */
  readonly references: readonly string[]
}

export type Resolver = {
  /**
   * The image to make a container from. Throws not-found with Docker's text, at which clients pull: also where another
   * platform of the name is here but the host's, which it has too, is not.
   */
  resolve(reference: string, platform?: Platform, choice?: PlatformChoice): ResolvedImage
  /** The ids of all platforms that the reference leads to; empty where there is none. */
  imageIds(reference: string): readonly Digest[]
  /** Remembers that the image was used. */
  touch(id: Digest): void
}

/** The platforms that an index names, here or not; empty for any other target. */
type Offers = (target: Digest) => readonly Platform[]

export function imageResolver(
  records: ImageRecords,
  configs: Configs,
  {
    offers,
    touch,
    compatible = () => false,
  }: { readonly offers: Offers; readonly touch: LastUsed["touch"]; readonly compatible?: () => boolean },
): Resolver {
  return {
    resolve(reference, platform, choice = { compatible: compatible() }) {
      const candidates = findCandidates(records, reference)
      const row = chooseRow(candidates, reference, { platform, choice })
      if (platform === undefined) refuseForeign(row, reference, offers)
      const config = configs.read(row.id)
      return {
        id: row.id,
        manifest: row.manifest,
        platform: platformOf(row),
        config,
        layers: config.rootfs.diff_ids,
        references: records.tagsOf(row.id).map((tag) => tag.reference),
      }
    },
    imageIds(reference) {
      try {
        return findCandidates(records, reference).map(({ id }) => id)
      } catch (error) {
        if (isKind(error, "not-found") || isKind(error, "invalid")) return []
        throw error
      }
    },
    touch,
  }
}

/** The row alone, for callers that need no configuration. */
export function findImage(
  records: ImageRecords,
  text: string,
  platform?: Platform,
  choice?: PlatformChoice,
): Candidate {
  return chooseRow(findCandidates(records, text), text, { platform, choice })
}

function chooseRow(
  candidates: readonly Candidate[],
  text: string,
  { platform, choice }: { readonly platform: Platform | undefined; readonly choice: PlatformChoice | undefined },
): Candidate {
  const row = choosePlatform(candidates, platformOf, platform, choice)
  if (row !== undefined) return row
  const here = candidates.map((one) => formatPlatform(platformOf(one))).sort()
  const said = here.length === 1 ? `its platform (${here[0]}) does` : `its platforms (${here.join(", ")}) do`
  throw new DhowError(
    "not-found",
    `image with reference ${text} was found but ${said} not match the specified platform (${formatPlatform(platform!)})`,
  )
}

/** No other architecture is given in silence where the name has one for this host, which only was not fetched yet. */
function refuseForeign(row: Candidate, text: string, offers: Offers): void {
  const host = hostPlatform()
  if (row.target === undefined || (row.os === host.os && runsNatively(row.arch, host.architecture))) return
  if (!offers(row.target).some((platform) => samePlatform(platform, host))) return
  const wanted = formatPlatform(host)
  const name = familiarReference(withDefaultTag(parseReference(text)))
  throw noSuchImage(
    `${name} for ${wanted}`,
    `It is here for ${formatPlatform(platformOf(row))}: say --platform ${formatPlatform(platformOf(row))}, or pull it`,
  )
}

/** How a reference's row is found: a digest decides, whatever tag stands beside it. */
export function referenceKey(reference: Reference): string {
  const { domain, path, digest } = reference
  return formatReference(digest === undefined ? withDefaultTag(reference) : { domain, path, digest })
}

/** The target is known of what was found by a name. */
export type Candidate = ImageRow & { readonly target?: Digest }

/** At least one image, all of one target. */
function findCandidates(records: ImageRecords, text: string): readonly Candidate[] {
  const whole = /^[0-9a-f]{64}$/.test(text) ? `sha256:${text}` : text
  if (isDigest(whole)) {
    const row = records.image(whole)
    const found = row === undefined ? membersOf(records, whole) : [row]
    if (found.length > 0) return found
    throw noSuchImage(whole)
  }
  const reference = parseReference(text)
  const named = records.named(referenceKey(reference))
  if (named.length > 0) return named
  if (reference.digest !== undefined) {
    const held = heldByRepository(records, reference, reference.digest)
    if (held.length > 0) return held
  }
  const hex = /^(?:sha256:)?([0-9a-f]+)$/.exec(text)?.[1]
  const prefixed = hex === undefined ? [] : records.withPrefix(hex)
  if (prefixed.length === 1) return prefixed
  throw noSuchImage(
    familiarReference(withDefaultTag(reference)),
    prefixed.length > 1 ? `Several image ids begin with "${hex}": give more digits` : undefined,
  )
}

/** name@digest also means the target of one of the repository's tags, though no row says so. */
function heldByRepository(records: ImageRecords, reference: Reference, digest: Digest): readonly Candidate[] {
  const inRepository = records.tagsOfTarget(digest).some((tag) => {
    const { domain, path } = parseReference(tag.reference)
    return domain === reference.domain && path === reference.path
  })
  return inRepository ? membersOf(records, digest) : []
}

function membersOf(records: ImageRecords, target: Digest): readonly Candidate[] {
  return records.inTarget(target).map((row) => ({ ...row, target }))
}

function noSuchImage(name: string, hint?: string): DhowError {
  return new DhowError("not-found", `No such image: ${name}`, hint === undefined ? {} : { hint })
}
