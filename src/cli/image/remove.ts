// dhow rmi: removes names of images, and images that have no name left.
import { removeImage } from "../../client/images.ts"
import { isKind } from "../../lib/errors.ts"
import { defineCommand } from "../command.ts"
import { printFailure } from "../failure.ts"
import { boolean, list } from "../flags/flags.ts"
import { print } from "../output.ts"
import { parseImageName, platformJson } from "./image-name.ts"

export const rmi = defineCommand({
  usage: "[OPTIONS] IMAGE[@@PLATFORM] [IMAGE...]",
  summary: "Remove one or more images",
  flags: {
    force: boolean("f", "Remove images that are in use or have several names"),
    "no-prune": boolean("", "Keep untagged parents"),
    platform: list("", "Remove only this platform of images that have several", { value: "platform" }),
  } as const,
  args: [1, Number.POSITIVE_INFINITY],
  examples: ["dhow rmi web:1", "dhow rmi debian:12@@linux/arm64", "dhow rmi --platform linux/386 debian:12"],
  async run({ client }, flags, texts) {
    let status = 0
    // One after the other: removing a name may remove the image that the next one means.
    for (const text of texts) {
      try {
        const { name, platform } = parseImageName(text)
        const platforms = [...flags.platform, ...(platform === undefined ? [] : [platform])]
        const removed = await removeImage(client, name, {
          force: flags.force === true,
          noPrune: flags["no-prune"] === true,
          platforms: platforms.map(platformJson),
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
