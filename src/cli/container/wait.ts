// dhow wait: prints the exit code of each container once it has stopped.
import { waitContainer } from "../../client/containers.ts"
import { defineCommand } from "../command.ts"
import { forEachName } from "../sequence.ts"

export const wait = defineCommand({
  usage: "CONTAINER [CONTAINER...]",
  summary: "Wait for containers to stop, and print their exit codes",
  flags: {},
  args: [1, Number.POSITIVE_INFINITY],
  run: ({ client }, _flags, names) =>
    forEachName(names, async (name) => {
      const { result } = await waitContainer(client, name)
      return String((await result).StatusCode)
    }),
})
