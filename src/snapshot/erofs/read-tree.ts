// The tree of a layer, read from its tar with as few reads as there are entries: content is skipped.
import { DhowError } from "../../lib/errors.ts"
import { TarFile } from "../../lib/tar/file-reader.ts"
import { LayerTree } from "./tree.ts"

/** Reading far ahead of a header would read content for nothing. */
const HEADER_WINDOW = 1 << 12

/** The descriptor stays the caller's. */
export function readTree(tar: number): LayerTree {
  const archive = new TarFile(tar, { window: HEADER_WINDOW })
  const tree = new LayerTree()
  for (let entry = archive.next(); entry !== undefined; entry = archive.next()) {
    try {
      tree.add(entry, archive.contentOffset)
    } catch (error) {
      if (!(error instanceof DhowError)) throw error
      throw new DhowError(error.kind, `Cannot index "${entry.path}": ${error.message}`, { cause: error.cause })
    }
  }
  tree.finish()
  return tree
}
