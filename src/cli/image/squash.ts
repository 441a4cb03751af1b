// dhow image squash: an image whose layers are one.
import { squashImage } from "../../client/image-contents.ts"
import { defineCommand } from "../command.ts"
import { boolean, string } from "../flags/flags.ts"
import { print, printError } from "../output.ts"
import { humanSize } from "../render/human.ts"
import { parseImageName } from "./image-name.ts"
import { platformFlag } from "./platform-flag.ts"

export const squash = defineCommand({
  usage: "[OPTIONS] IMAGE[@@PLATFORM]",
  summary: "Make one layer of several, as a new image",
  flags: {
    base: string("", "Keep the layers of this image, and squash those above", { value: "image" }),
    from: string("", "Squash from this layer on: its number (1 is the lowest) or its digest", { value: "layer" }),
    platform: platformFlag,
    quiet: boolean("q", "Only print the ID"),
    tag: string("t", "Name of the new image", { value: "name" }),
  } as const,
  args: [1, 1],
  examples: ["dhow image squash -t web:small web", "dhow image squash --base debian -t web:small web"],
  async run({ client }, flags, [text = ""]) {
    const { name, platform } = parseImageName(text, flags.platform)
    const { Id, Before, After } = await squashImage(client, name, { ...flags, platform })
    print(Id)
    if (flags.quiet !== true)
      printError(
        `${Before.Layers} layers of ${humanSize(Before.Size)} became ${After.Layers} of ${humanSize(After.Size)}`,
      )
    return 0
  },
})
