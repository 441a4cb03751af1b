// The ImageContents interface, put together from one file per use-case.
import { answering } from "../../../lib/answering.ts"
import type { Stacks } from "../../../snapshot/stacks.ts"
import type { Uppers } from "../../../snapshot/uppers.ts"
import type { ImageContents } from "../../contract.ts"
import type { ImagesContext } from "../context.ts"
import type { FindContainer } from "./files.ts"
import { imageMounts } from "./mount.ts"

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
    tree: async () => (await import("./tree.ts")).imageTree(context),
    async files(reference, { request, ...read }) {
      const { imageFiles } = await import("./files.ts")
      return imageFiles(context, stacks, { ...read, reference, request })
    },
    async difference(before, after, options) {
      const { imageDifference } = await import("./files.ts")
      return imageDifference(context, parts, { ...options, before, after })
    },
    async convert(source, target, options) {
      const { convertImage } = await import("./convert.ts")
      return await convertImage(context, { ...options, source, target })
    },
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
    async squash(reference, options) {
      const { squashImage } = await import("./squash.ts")
      return await squashImage(context, stacks, { ...options, reference })
    },
  }
}
