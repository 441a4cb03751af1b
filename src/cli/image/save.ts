// dhow save: images as one archive.
import { saveImages } from "../../client/images.ts"
import { DhowError } from "../../lib/errors.ts"
import { isTerminal } from "../../lib/syscalls/terminal.ts"
import { defineCommand } from "../command.ts"
import { string } from "../flags/flags.ts"
import { writeArchive } from "./archive-output.ts"
import { parseImageNames, platformJson } from "./image-name.ts"

export const save = defineCommand({
  usage: "[OPTIONS] IMAGE[@@PLATFORM] [IMAGE...]",
  summary: "Save images to an archive or standard output",
  flags: {
    output: string("o", "Write to a file instead of standard output"),
    platform: string("", "Save only this platform of images that have several"),
  } as const,
  args: [1, Number.POSITIVE_INFINITY],
  examples: ["dhow save -o images.tar web db", "dhow save web@@linux/arm64 | zstd > web.tar.zst"],
  async run({ client }, flags, texts) {
    const { names, platform } = parseImageNames(texts, flags.platform)
    if (flags.output === undefined && isTerminal(1))
      throw new DhowError("invalid", "An archive is not for a terminal", { hint: "Use -o, or redirect the output" })
    const { body } = await saveImages(client, names, platform === undefined ? undefined : platformJson(platform))
    await writeArchive(body, flags.output)
    return 0
  },
})
