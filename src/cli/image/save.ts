// dhow save: images as one archive. A file appears under its name only when it is complete.
import { closeSync, openSync, renameSync, rmSync, statSync } from "node:fs"
import { saveImages } from "../../client/images.ts"
import { DhowError } from "../../lib/errors.ts"
import { isTerminal } from "../../lib/syscalls/terminal.ts"
import { parsePlatform } from "../../oci/platform.ts"
import { defineCommand } from "../command.ts"
import { string } from "../flags/flags.ts"
import { writeAll } from "../output.ts"
import { descriptorWriter } from "../terminal/descriptors.ts"

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
    if (flags.output === undefined) {
      const write = descriptorWriter(1)
      for await (const chunk of body) await write(chunk)
    } else await writeFile(flags.output, body)
    return 0
  },
})

async function writeFile(path: string, body: AsyncIterable<Uint8Array>): Promise<void> {
  // A device or pipe (-o /dev/stdout) is written to, not replaced.
  const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() ?? true
  const target = isFile ? `${path}.${process.pid}.partial` : path
  let fd: number
  try {
    fd = openSync(target, "w")
  } catch (cause) {
    throw new DhowError("invalid", `Cannot write the archive "${path}"`, { cause })
  }
  try {
    for await (const chunk of body) writeAll(fd, chunk)
    if (isFile) renameSync(target, path)
  } catch (error) {
    if (isFile) rmSync(target, { force: true })
    throw error
  } finally {
    closeSync(fd)
  }
}
