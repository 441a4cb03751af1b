// dhow pause and unpause: freeze and thaw all processes of containers.
import { pauseContainer, unpauseContainer } from "../../client/containers.ts"
import { defineCommand } from "../command.ts"
import { forEachName } from "../sequence.ts"

export const pause = defineCommand({
  usage: "CONTAINER [CONTAINER...]",
  summary: "Pause all processes of one or more containers",
  flags: {},
  args: [1, Number.POSITIVE_INFINITY],
  run: ({ client }, _flags, names) =>
    forEachName(names, async (name) => {
      await pauseContainer(client, name)
      return name
    }),
})

export const unpause = defineCommand({
  usage: "CONTAINER [CONTAINER...]",
  summary: "Resume all processes of one or more containers",
  flags: {},
  args: [1, Number.POSITIVE_INFINITY],
  run: ({ client }, _flags, names) =>
    forEachName(names, async (name) => {
      await unpauseContainer(client, name)
      return name
    }),
})
