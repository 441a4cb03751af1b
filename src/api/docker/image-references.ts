// Image references as the API spreads them over two parameters.
import { DhowError } from "../../lib/errors.ts"
import { isDigest } from "../../oci/digest.ts"
import { familiarName, familiarReference, parseReference, withDefaultTag } from "../../oci/reference.ts"

/** The reference that "repo" and "tag" name together: "latest" where no tag is given. */
export function targetReference(repo: string, tag: string): string {
  const reference = parseReference(repo)
  if (reference.digest !== undefined) throw new DhowError("invalid", "cannot import digest reference")
  if (tag === "") return familiarReference(withDefaultTag(reference))
  return familiarReference(parseReference(`${reference.domain}/${reference.path}:${tag}`))
}

/** "fromImage" may carry a tag of its own, or end in a colon; "tag" may be a digest, and wins. */
export function pullReference(image: string, tag: string): string {
  const named = parseReference(image.endsWith(":") ? image.slice(0, -1) : image)
  if (familiarName(named) === "scratch") throw new DhowError("forbidden", "'scratch' is a reserved name")
  // Without a tag all of them are meant.
  if (tag === "") return familiarReference(named)
  const separator = isDigest(tag) ? "@" : ":"
  return familiarReference(parseReference(`${named.domain}/${named.path}${separator}${tag}`))
}

/** Without a tag all of the repository's are meant. */
export function pushReference(name: string, tag: string): string {
  const reference = parseReference(name)
  if (tag === "") return familiarReference(reference)
  return familiarReference(parseReference(`${reference.domain}/${reference.path}:${tag}`))
}
