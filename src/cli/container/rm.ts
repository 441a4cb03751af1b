// dhow rm: removes containers; with --force running ones too.
import { removeContainer } from "../../client/containers.ts"
import { isKind } from "../../lib/errors.ts"
import { defineCommand } from "../command.ts"
import { printFailure } from "../failure.ts"
import { boolean, string } from "../flags/flags.ts"
import { forEachName } from "../sequence.ts"

export const rm = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Remove one or more containers",
  flags: {
    force: boolean("f", "Kill and remove running containers; ignore missing ones"),
    "keep-logs": string("", "Keep the logs for some days (7d), for dhow logs"),
    link: boolean("l", "Remove the specified link"),
    volumes: boolean("v", "Remove anonymous volumes of the container too"),
  } as const,
  args: [1, Number.POSITIVE_INFINITY],
  examples: ["dhow rm web", "dhow rm -f $(dhow ps -aq)"],
  async run({ client }, flags, names) {
    let failed = false
    await forEachName(
      names,
      async (name) => {
        const { warning } = await removeContainer(client, name, {
          force: flags.force === true,
          volumes: flags.volumes === true,
          link: flags.link === true,
          keepLogs: flags["keep-logs"],
        })
        if (warning !== undefined) process.stderr.write(`WARNING: ${name}: ${warning}\n`)
        return name
      },
      (error) => {
        printFailure(error)
        // Docker's `rm -f` of a container that is not there says so, and succeeds.
        if (flags.force !== true || !isKind(error, "not-found")) failed = true
      },
    )
    return failed ? 1 : 0
  },
})
