// Gives an image a further name. A name that is taken moves; the image that had it may be left dangling.
import { DhowError } from "../../lib/errors.ts"
import type { Platform } from "../../oci/platform.ts"
import { familiarReference, formatReference, parseReference, withDefaultTag } from "../../oci/reference.ts"
import { emitImageEvent, type ImagesContext } from "./context.ts"
import { findImage } from "./resolve.ts"

export function tagImage(
  context: Pick<ImagesContext, "records" | "configs" | "emit">,
  source: string,
  { target, platform }: { readonly target: string; readonly platform: Platform | undefined },
): void {
  const { records } = context
  const name = withDefaultTag(parseReference(target))
  if (name.digest !== undefined) throw new DhowError("invalid", "refusing to create a tag with a digest reference")
  if (familiarReference(name).split(/[:@]/)[0] === "sha256")
    throw new DhowError("invalid", "refusing to create an ambiguous tag using digest algorithm as name")
  const image = findImage(records, source, platform)
  // Named by a name, the whole target gets the new one: all its platforms. Named by an id or with a platform, only that
  // image.
  const held = platform === undefined ? image.target : undefined
  records.transaction(() => {
    if (held === undefined) records.putImage(image, [image.manifest])
    records.putTag(formatReference(name), held ?? image.manifest)
  })
  emitImageEvent(context, "tag", { id: image.id, name: familiarReference(name) })
}
