// dhow tag: a further name for an image.
import { tagImage } from "../../client/images.ts"
import { defineCommand } from "../command.ts"
import { string } from "../flags/flags.ts"
import { parseImageName, platformJson } from "./image-name.ts"

export const tag = defineCommand({
  usage: "[OPTIONS] SOURCE[:TAG][@@PLATFORM] TARGET[:TAG]",
  summary: "Give an image a further name",
  flags: { platform: string("", "Name this platform alone, where the image has several") } as const,
  args: [2, 2],
  examples: ["dhow tag debian:12 base", "dhow tag debian:12@@linux/arm64 base:arm64"],
  async run({ client }, flags, [source = "", target = ""]) {
    const { name, platform } = parseImageName(source, flags.platform)
    await tagImage(client, name, target, platform === undefined ? undefined : platformJson(platform))
    return 0
  },
})
