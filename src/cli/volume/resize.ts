// dhow volume resize: a volume with a limit may hold more.
import { resizeVolume } from "../../client/volumes.ts"
import { checkedBy, parseBytes } from "../../lib/size.ts"
import { defineCommand } from "../command.ts"
import { print } from "../output.ts"

export const resize = defineCommand({
  usage: "VOLUME SIZE",
  summary: "Let a volume with a size hold more, also one in use",
  flags: {},
  args: [2, 2],
  examples: ["dhow volume resize data 20g"],
  async run({ client }, _flags, [name = "", size = ""]) {
    checkedBy(parseBytes)(size)
    print((await resizeVolume(client, name, size)).Name)
    return 0
  },
})
