// dhow commit: a container's changes become an image.
import { commitContainer } from "../../client/containers.ts"
import { defineCommand } from "../command.ts"
import { boolean, list, string } from "../flags/flags.ts"
import { print } from "../output.ts"

export const commit = defineCommand({
  usage: "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]",
  summary: "Make an image of a container and its changes",
  flags: {
    author: string("a", 'Author of the image ("John Hannibal Smith <hannibal@a-team.com>")'),
    change: list("c", "Apply a line of a Dockerfile (CMD, ENV, ...) to the image"),
    message: string("m", "Comment of the image"),
    pause: boolean("p", "Pause the container meanwhile", { default: "true" }),
  } as const,
  args: [1, 2],
  interspersed: false,
  examples: ["dhow commit web web:patched", "dhow commit -m 'with tools' -c 'CMD [\"bash\"]' web tools"],
  async run({ client }, flags, [container = "", reference]) {
    const { Id } = await commitContainer(client, {
      container,
      reference,
      author: flags.author,
      message: flags.message,
      changes: flags.change,
      pause: flags.pause !== false,
    })
    print(Id)
    return 0
  },
})
