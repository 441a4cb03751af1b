// Names as they come in requests: repositories, tags, digests. What passes here holds no path trick and has a bound.
import { DhowError } from "../../lib/errors.ts"
import { RegistryError } from "./errors.ts"

/** The name of a repository, checked: "team/app". */
export type RepositoryName = string & { readonly __brand: "RepositoryName" }
export type Tag = string & { readonly __brand: "Tag" }
/** As the client names a blob or manifest. The content store knows sha256 only; see records.ts. */
export type NamedDigest = `${DigestAlgorithm}:${string}` & { readonly __brand: "NamedDigest" }
export type DigestAlgorithm = "sha256" | "sha512"

const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const NAME_LIMIT = 255
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/
const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/

export function parseRepositoryName(text: string): RepositoryName {
  if (text.length > NAME_LIMIT || !NAME.test(text))
    throw new RegistryError("NAME_INVALID", `Repository name ${quoted(text)} is invalid`)
  return text as RepositoryName
}

export function isTag(text: string): text is Tag {
  return TAG.test(text)
}

export function parseTag(text: string): Tag {
  if (!isTag(text)) throw new RegistryError("MANIFEST_INVALID", `Tag ${quoted(text)} is invalid`)
  return text
}

export function isNamedDigest(text: string): text is NamedDigest {
  return DIGEST.test(text)
}

export function parseNamedDigest(text: string): NamedDigest {
  if (!isNamedDigest(text))
    throw new RegistryError("DIGEST_INVALID", `Digest ${quoted(text)} is neither sha256 nor sha512 in hex digits`)
  return text
}

export function parseAlgorithm(text: string): DigestAlgorithm {
  if (text === "sha256" || text === "sha512") return text
  throw new RegistryError("DIGEST_INVALID", `Digest algorithm ${quoted(text)} is not supported`)
}

export function algorithmOf(digest: NamedDigest): DigestAlgorithm {
  return digest.startsWith("sha256:") ? "sha256" : "sha512"
}

export function digestAs(algorithm: DigestAlgorithm, bytes: Uint8Array): NamedDigest {
  return `${algorithm}:${new Bun.CryptoHasher(algorithm).update(bytes).digest("hex")}` as NamedDigest
}

/** A tag, or a digest where there is a colon. */
export function parseManifestReference(text: string): Tag | NamedDigest {
  if (text.includes(":")) return parseNamedDigest(text)
  if (!isTag(text)) throw new RegistryError("MANIFEST_UNKNOWN", `Tag ${quoted(text)} is invalid`)
  return text
}

/** "team/app", "team/app:tag" or "team/app@digest", as commands name them. */
export function parseTarget(text: string): { readonly name: RepositoryName; readonly reference?: Tag | NamedDigest } {
  const at = text.indexOf("@")
  const colon = text.lastIndexOf(":")
  const end = at >= 0 ? at : colon > text.lastIndexOf("/") ? colon : text.length
  try {
    const name = parseRepositoryName(text.slice(0, end))
    if (end === text.length) return { name }
    const rest = text.slice(end + 1)
    return { name, reference: at >= 0 ? parseNamedDigest(rest) : parseTag(rest) }
  } catch (cause) {
    throw new DhowError("invalid", `${quoted(text)} is no repository, tag or digest of the registry`, { cause })
  }
}

/** Text from outside, short enough for a message. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text)
}
