// dhow volume export: the files of a volume as a tar archive.
import { exportVolume } from "../../client/volumes.ts"
import { DhowError } from "../../lib/errors.ts"
import { isTerminal } from "../../lib/syscalls/terminal.ts"
import { defineCommand } from "../command.ts"
import { boolean, string } from "../flags/flags.ts"
import { writeArchive } from "../image/archive-output.ts"

export const exportCommand = defineCommand({
  usage: "[OPTIONS] VOLUME",
  summary: "Write the files of a volume to an archive",
  flags: {
    output: string("o", "Write to a file instead of standard output"),
    pause: boolean("", "Pause containers that write to it, for a copy of one moment"),
  } as const,
  args: [1, 1],
  examples: ["dhow volume export -o data.tar data", "dhow volume export data | zstd > data.tar.zst"],
  async run({ client }, flags, [name = ""]) {
    if (flags.output === undefined && isTerminal(1))
      throw new DhowError("invalid", "An archive is not for a terminal", { hint: "Use -o, or redirect the output" })
    await writeArchive(await exportVolume(client, name, { pause: flags.pause === true }), flags.output)
    return 0
  },
})
