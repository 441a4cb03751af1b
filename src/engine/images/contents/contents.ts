// The ImageContents interface, put together from one file per use-case.
import type { Stacks } from "../../../snapshot/stacks.ts"
import type { Uppers } from "../../../snapshot/uppers.ts"
import type { ImageContents } from "../../contract.ts"
import type { ImagesContext } from "../context.ts"
import { convertImage } from "./convert.ts"
import { type FindContainer, imageDifference, imageFiles } from "./files.ts"
import { squashImage } from "./squash.ts"
import { imageTree } from "./tree.ts"

export type ContentsParts = {
  readonly stacks: Stacks
  readonly uppers: Uppers
  readonly container: FindContainer
}

export function openContents(context: ImagesContext, parts: ContentsParts): ImageContents {
  const { stacks } = parts
  return {
    tree: async () => imageTree(context),
    files: async (reference, { request, ...read }) => imageFiles(context, stacks, { ...read, reference, request }),
    difference: async (before, after, options) => imageDifference(context, parts, { ...options, before, after }),
    convert: (source, target, options) => convertImage(context, { ...options, source, target }),
    squash: (reference, options) => squashImage(context, stacks, { ...options, reference }),
  }
}
