// Gives an image a further name. A name that is taken moves; the image that had it may be left dangling.
import { DhowError } from "../../lib/errors.ts"
import { familiarReference, formatReference, parseReference, withDefaultTag } from "../../oci/reference.ts"
import { emitImageEvent, type ImagesContext } from "./context.ts"
import { findImage, referenceKey } from "./resolve.ts"

export function tagImage(
  context: Pick<ImagesContext, "records" | "configs" | "emit">,
  source: string,
  target: string,
): void {
  const { records } = context
  const name = withDefaultTag(parseReference(target))
  if (name.digest !== undefined) throw new DhowError("invalid", "refusing to create a tag with a digest reference")
  const image = findImage(records, source)
  // Named by a name, the whole target gets the new one: all its platforms. Named by an id, only that image.
  const held = /^(?:sha256:)?[0-9a-f]{64}$/.test(source)
    ? undefined
    : records.tag(referenceKey(parseReference(source)))?.target
  records.transaction(() => {
    if (held === undefined) records.putImage(image, [image.manifest])
    records.putTag(formatReference(name), held ?? image.manifest)
  })
  emitImageEvent(context, "tag", { id: image.id, name: familiarReference(name) })
}
