// Image references: domain/path:tag@digest, with Docker's defaults (docker.io, library/, latest).
import { DhowError } from "../lib/errors.ts"
import { type Digest, isDigest } from "./digest.ts"

export type Reference = {
  /** "docker.io", "distro.local", "localhost:5000" */
  readonly domain: string
  /** "library/busybox" */
  readonly path: string
  readonly tag?: string
  readonly digest?: Digest
}

const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const DOMAIN =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?$/
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/
const NAME_LIMIT = 255

/** Reads a reference as a user writes it. A name without tag and digest keeps neither: see `withDefaultTag`. */
export function parseReference(text: string): Reference {
  const invalid = (detail = "invalid reference format"): DhowError => new DhowError("invalid", detail)
  if (text.length > 1024) throw invalid()
  if (/^[0-9a-f]{64}$/.test(text))
    throw invalid(`invalid reference format: repository name (${text}) cannot be 64-byte hexadecimal strings`)
  const at = text.indexOf("@")
  let digest: Digest | undefined
  if (at >= 0) {
    const found = text.slice(at + 1)
    if (!isDigest(found)) throw invalid()
    digest = found
  }
  let name = at >= 0 ? text.slice(0, at) : text
  const colon = name.lastIndexOf(":")
  let tag: string | undefined
  if (colon > name.lastIndexOf("/")) {
    tag = name.slice(colon + 1)
    name = name.slice(0, colon)
    if (!TAG.test(tag)) throw invalid()
  }
  const slash = name.indexOf("/")
  const first = slash < 0 ? "" : name.slice(0, slash)
  const isDomain = /[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase()
  let domain = slash >= 0 && isDomain ? first : "docker.io"
  let path = slash >= 0 && isDomain ? name.slice(slash + 1) : name
  if (domain === "index.docker.io") domain = "docker.io"
  if (path.toLowerCase() !== path)
    throw invalid(`invalid reference format: repository name (${path}) must be lowercase`)
  if (domain === "docker.io" && !path.includes("/")) path = `library/${path}`
  if (!PATH.test(path) || !DOMAIN.test(domain) || domain.length + path.length + 1 > NAME_LIMIT) throw invalid()
  return { domain, path, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) }
}

export function withDefaultTag(reference: Reference): Reference {
  if (reference.tag !== undefined || reference.digest !== undefined) return reference
  return { ...reference, tag: "latest" }
}

/** The canonical form, as stored: "docker.io/library/busybox:latest". */
export function formatReference(reference: Reference): string {
  return `${reference.domain}/${reference.path}${suffix(reference)}`
}

/** The form Docker shows: without docker.io and library/. */
export function familiarReference(reference: Reference): string {
  return familiarName(reference) + suffix(reference)
}

/** The repository alone, as Docker shows it: "busybox", "distro.local/debian". */
export function familiarName(reference: Reference): string {
  if (reference.domain !== "docker.io") return `${reference.domain}/${reference.path}`
  return reference.path.startsWith("library/") ? reference.path.slice("library/".length) : reference.path
}

function suffix(reference: Reference): string {
  const tag = reference.tag === undefined ? "" : `:${reference.tag}`
  return reference.digest === undefined ? tag : `${tag}@${reference.digest}`
}
