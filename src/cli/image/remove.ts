// dhow rmi: removes names of images, and images that have no name left.
import { removeImage } from "../../client/images.ts"
import { isKind } from "../../lib/errors.ts"
import { defineCommand } from "../command.ts"
import { printFailure } from "../failure.ts"
import { boolean } from "../flags/flags.ts"
import { print } from "../output.ts"

export const rmi = defineCommand({
  usage: "[OPTIONS] IMAGE [IMAGE...]",
  summary: "Remove one or more images",
  flags: {
    force: boolean("f", "Remove images that are in use or have several names"),
    "no-prune": boolean("", "Keep untagged parents"),
  } as const,
  args: [1, Number.POSITIVE_INFINITY],
  async run({ client }, flags, names) {
    let status = 0
    // One after the other: removing a name may remove the image that the next one means.
    for (const name of names) {
      try {
        const removed = await removeImage(client, name, {
          force: flags.force === true,
          noPrune: flags["no-prune"] === true,
        })
        for (const entry of removed)
          print(
            "Untagged" in entry && entry.Untagged
              ? `Untagged: ${entry.Untagged}`
              : `Deleted: ${(entry as { Deleted: string }).Deleted}`,
          )
      } catch (error) {
        printFailure(error)
        if (flags.force !== true || !isKind(error, "not-found")) status = 1
      }
    }
    return status
  },
})
