// From what a user writes to the image that is meant: name[:tag][@digest], id, or a unique prefix of an id. Synchronous
// and on the way of every container start: two prepared statements and a cached configuration.
import { DhowError } from "../../lib/errors.ts"
import { type Digest, isDigest } from "../../oci/digest.ts"
import type { ImageConfig } from "../../oci/image-config.ts"
import { formatPlatform, type Platform } from "../../oci/platform.ts"
import {
  familiarReference,
  formatReference,
  parseReference,
  type Reference,
  withDefaultTag,
} from "../../oci/reference.ts"
import { choosePlatform } from "./choose-platform.ts"
import type { Configs } from "./configs.ts"
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
  /** Throws not-found with Docker's text. Without `platform` the host's is preferred, and any other taken. */
  resolve(reference: string, platform?: Platform): ResolvedImage
  /** Remembers that a container was made from the image. */
  touch(id: Digest): void
}

export function imageResolver(records: ImageRecords, configs: Configs): Resolver {
  return {
    resolve(reference, platform) {
      const row = findImage(records, reference, platform)
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
    touch: (id) => records.touch(id),
  }
}

/** The row alone, for callers that need no configuration. */
export function findImage(records: ImageRecords, text: string, platform?: Platform): ImageRow {
  const candidates = findCandidates(records, text)
  const row = choosePlatform(candidates, platformOf, platform)
  if (row !== undefined) return row
  const [other] = candidates
  throw new DhowError(
    "not-found",
    `image with reference ${text} was found but its platform (${formatPlatform(platformOf(other!))}) ` +
      `does not match the specified platform (${formatPlatform(platform!)})`,
  )
}

/** How a reference's row is found: a digest decides, whatever tag stands beside it. */
export function referenceKey(reference: Reference): string {
  const { domain, path, digest } = reference
  return formatReference(digest === undefined ? withDefaultTag(reference) : { domain, path, digest })
}

/** At least one image, all of one target. */
function findCandidates(records: ImageRecords, text: string): readonly ImageRow[] {
  const whole = /^[0-9a-f]{64}$/.test(text) ? `sha256:${text}` : text
  if (isDigest(whole)) {
    const row = records.image(whole)
    const found = row === undefined ? records.inTarget(whole) : [row]
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
function heldByRepository(records: ImageRecords, reference: Reference, digest: Digest): readonly ImageRow[] {
  const inRepository = records.tagsOfTarget(digest).some((tag) => {
    const { domain, path } = parseReference(tag.reference)
    return domain === reference.domain && path === reference.path
  })
  return inRepository ? records.inTarget(digest) : []
}

function noSuchImage(name: string, hint?: string): DhowError {
  return new DhowError("not-found", `No such image: ${name}`, hint === undefined ? {} : { hint })
}
