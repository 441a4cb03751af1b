// dhow import: a tarball of a file system becomes an image of one layer.
import { importImage } from "../../client/images.ts"
import { defineCommand } from "../command.ts"
import { list, string } from "../flags/flags.ts"
import { showProgress } from "../render/progress.ts"
import { archiveFromInput, openArchive } from "./archive.ts"

export const importCommand = defineCommand({
  usage: "[OPTIONS] file|URL|- [REPOSITORY[:TAG]]",
  summary: "Make an image from a tarball of a file system",
  flags: {
    change: list("c", "Apply a line of a Dockerfile (CMD, ENV, ...) to the image"),
    message: string("m", "Comment of the image"),
    platform: string("", "Platform of the image"),
  } as const,
  args: [1, 2],
  examples: ["dhow import rootfs.tar.gz my/base:1", "tar -C rootfs -c . | dhow import -c 'CMD [\"sh\"]' - my/base"],
  async run({ client }, flags, [source = "", reference]) {
    const isUrl = /^(https?|git|github\.com)[:/]/.test(source)
    const archive = isUrl ? undefined : source === "-" ? archiveFromInput() : openArchive(source)
    const lines = await importImage(client, {
      source: isUrl ? source : "-",
      reference,
      message: flags.message,
      changes: flags.change,
      platform: flags.platform,
      ...(archive === undefined ? {} : { archive }),
    })
    await showProgress(lines, { fd: 1 })
    return 0
  },
})
