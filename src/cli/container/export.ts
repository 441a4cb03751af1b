// dhow export: a container's file system as a tar archive.
import { exportContainer } from "../../client/containers.ts"
import { DhowError } from "../../lib/errors.ts"
import { isTerminal } from "../../lib/syscalls/terminal.ts"
import { defineCommand } from "../command.ts"
import { string } from "../flags/flags.ts"
import { writeArchive } from "../image/archive-output.ts"

export const exportCommand = defineCommand({
  usage: "[OPTIONS] CONTAINER",
  summary: "Write a container's file system to a tar archive",
  flags: { output: string("o", "Write to a file instead of standard output") } as const,
  args: [1, 1],
  examples: ["dhow export -o web.tar web", "dhow export web | tar -t"],
  async run({ client }, flags, [name = ""]) {
    if (flags.output === undefined && isTerminal(1))
      throw new DhowError("invalid", "An archive is not for a terminal", { hint: "Use -o, or redirect the output" })
    const { body } = await exportContainer(client, name)
    await writeArchive(body, flags.output)
    return 0
  },
})
