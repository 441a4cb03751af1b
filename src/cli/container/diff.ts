// dhow diff: what a container changed of its image's files.
import { containerChanges } from "../../client/containers.ts"
import { defineCommand } from "../command.ts"
import { writeAll } from "../output.ts"
import { shownName } from "../render/names.ts"

const LETTERS = ["C", "A", "D"] as const

export const diff = defineCommand({
  usage: "CONTAINER",
  summary: "Show what a container changed of its image's files",
  flags: {},
  args: [1, 1],
  examples: ["dhow diff web"],
  async run({ client }, _flags, [name = ""]) {
    const changes = await containerChanges(client, name)
    writeAll(1, changes.map(({ Kind, Path }) => `${LETTERS[Kind]} ${shownName(Path)}\n`).join(""))
    return 0
  },
})
