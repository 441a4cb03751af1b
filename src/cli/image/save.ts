// dhow save: images as one archive.
import { saveImages } from "../../client/images.ts"
import { DhowError } from "../../lib/errors.ts"
import { isTerminal } from "../../lib/syscalls/terminal.ts"
import { parsePlatform } from "../../oci/platform.ts"
import { defineCommand } from "../command.ts"
import { string } from "../flags/flags.ts"
import { writeArchive } from "./archive-output.ts"

export const save = defineCommand({
  usage: "[OPTIONS] IMAGE [IMAGE...]",
  summary: "Save images to an archive or standard output",
  flags: {
    output: string("o", "Write to a file instead of standard output"),
    platform: string("", "Save only this platform of images that have several"),
  } as const,
  args: [1, Number.POSITIVE_INFINITY],
  examples: ["dhow save -o images.tar web db", "dhow save web | zstd > web.tar.zst"],
  async run({ client }, flags, names) {
    if (flags.output === undefined && isTerminal(1))
      throw new DhowError("invalid", "An archive is not for a terminal", { hint: "Use -o, or redirect the output" })
    const platform = flags.platform === undefined ? undefined : JSON.stringify(parsePlatform(flags.platform))
    const { body } = await saveImages(client, names, platform)
    await writeArchive(body, flags.output)
    return 0
  },
})
