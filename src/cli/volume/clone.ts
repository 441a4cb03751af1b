// dhow volume clone: a new volume with the same files, labels and limit.
import { cloneVolume } from "../../client/volumes.ts"
import { defineCommand } from "../command.ts"
import { boolean } from "../flags/flags.ts"
import { print } from "../output.ts"
import { followCopy } from "./copy-progress.ts"

export const clone = defineCommand({
  usage: "[OPTIONS] VOLUME NEW_VOLUME",
  summary: "Make a new volume with the same files",
  flags: {
    pause: boolean("", "Pause containers that write to it, for a copy of one moment"),
  } as const,
  args: [2, 2],
  examples: ["dhow volume clone data data-test", "dhow volume clone --pause data backup"],
  async run({ client }, flags, [name = "", to = ""]) {
    await followCopy(await cloneVolume(client, name, { to, pause: flags.pause === true }))
    print(to)
    return 0
  },
})
