// dhow create: a container that `start` runs later.
import { defineCommand } from "../command.ts"
import { containerFlags, createOnlyFlags } from "../create/flags.ts"
import { createRequest } from "../create/request.ts"
import { print } from "../output.ts"
import { createWithImage } from "./create-container.ts"
import { refuseUnsupported } from "./run.ts"

export const create = defineCommand({
  usage: "[OPTIONS] IMAGE[@@PLATFORM] [COMMAND] [ARG...]",
  summary: "Create a new container",
  flags: { ...containerFlags, ...createOnlyFlags } as const,
  args: [1, Number.POSITIVE_INFINITY],
  interspersed: false,
  examples: ["dhow create --name db -v data:/var/lib/db IMAGE", "dhow start db"],
  async run({ client }, flags, args) {
    refuseUnsupported(flags)
    print(await createWithImage(client, createRequest(flags, args[0]!, args.slice(1)), flags))
    return 0
  },
})
