// The ImageContents interface, put together from one file per use-case.
import { answering } from "../../../lib/answering.ts"
import type { Stacks } from "../../../snapshot/stacks.ts"
import type { Uppers } from "../../../snapshot/uppers.ts"
import type { ImageContents } from "../../contract.ts"
import type { ImagesContext } from "../context.ts"
import { convertImage } from "./convert.ts"
import { type FindContainer, imageDifference, imageFiles } from "./files.ts"
import { imageMounts } from "./mount.ts"
import { squashImage } from "./squash.ts"
import { imageTree } from "./tree.ts"

export type ContentsParts = {
  readonly stacks: Stacks
  readonly uppers: Uppers
  readonly container: FindContainer
  /** Directory for mounts that nobody chose a place for. */
  readonly mounts: string
}

export type ReconcileMounts = {
  /** At the start, before serving. */
  reconcileMounts(): void
}

export function openContents(context: ImagesContext, parts: ContentsParts): ImageContents & ReconcileMounts {
  const { stacks } = parts
  const mounts = imageMounts(context, parts.mounts)
  return {
    tree: async () => imageTree(context),
    files: async (reference, { request, ...read }) => imageFiles(context, stacks, { ...read, reference, request }),
    difference: async (before, after, options) => imageDifference(context, parts, { ...options, before, after }),
    convert: (source, target, options) => convertImage(context, { ...options, source, target }),
    async mount(reference, options) {
      if (options.target?.startsWith("/")) await answering([options.target])
      return mounts.mount(reference, options)
    },
    async unmount(reference) {
      if (reference.startsWith("/") && !mounts.isAt(reference)) await answering([reference])
      return mounts.unmount(reference)
    },
    mounts: async () => mounts.list(),
    reconcileMounts: () => mounts.reconcile(),
    squash: (reference, options) => squashImage(context, stacks, { ...options, reference }),
  }
}
