// dhow kill: sends a signal to the main process of containers.
import { killContainer } from "../../client/containers.ts"
import { defineCommand } from "../command.ts"
import { string } from "../flags/flags.ts"
import { forEachName } from "../sequence.ts"

export const kill = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Kill one or more running containers",
  flags: { signal: string("s", "Signal to send to the container", { default: "KILL" }) } as const,
  args: [1, Number.POSITIVE_INFINITY],
  examples: ["dhow kill web", "dhow kill -s HUP web"],
  run: ({ client }, flags, names) =>
    forEachName(names, async (name) => {
      await killContainer(client, name, flags.signal)
      return name
    }),
})
