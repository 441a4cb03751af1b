// dhow tag: a further name for an image.
import { tagImage } from "../../client/images.ts"
import { defineCommand } from "../command.ts"

export const tag = defineCommand({
  usage: "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
  summary: "Give an image a further name",
  flags: {},
  args: [2, 2],
  async run({ client }, _flags, [source = "", target = ""]) {
    await tagImage(client, source, target)
    return 0
  },
})
