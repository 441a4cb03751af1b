// dhow load: images from an archive that `save` or another tool made.
import { loadImages } from "../../client/images.ts"
import { parsePlatform } from "../../oci/platform.ts"
import { defineCommand } from "../command.ts"
import { boolean, string } from "../flags/flags.ts"
import { showProgress } from "../render/progress.ts"
import { archiveFromInput, openArchive } from "./archive.ts"

export const load = defineCommand({
  usage: "[OPTIONS]",
  summary: "Load images from an archive or standard input",
  flags: {
    input: string("i", "Read the archive from a file"),
    platform: string("", "Load only this platform of images that have several"),
    quiet: boolean("q", "Print nothing but what was loaded"),
  } as const,
  args: [0, 0],
  examples: ["dhow load -i images.tar.zst", "dhow load < images.tar"],
  async run({ client }, flags) {
    const archive = flags.input === undefined ? archiveFromInput() : openArchive(flags.input)
    const lines = await loadImages(client, archive, {
      quiet: flags.quiet === true,
      platform: flags.platform === undefined ? undefined : JSON.stringify(parsePlatform(flags.platform)),
    })
    await showProgress(lines, { fd: 1 })
    return 0
  },
})
