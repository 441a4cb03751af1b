// dhow registry rm: takes repositories, tags or manifests out of the registry.
import { removeFromRegistry } from "../../client/registry-server.ts"
import { defineCommand } from "../command.ts"
import { print } from "../output.ts"

export const remove = defineCommand({
  usage: "REPOSITORY[:TAG|@DIGEST]...",
  summary: "Remove repositories, tags or manifests from the registry",
  flags: {} as const,
  args: [1, Number.POSITIVE_INFINITY],
  examples: ["dhow registry rm team/app:1", "dhow registry rm team/app"],
  async run({ client }, _flags, targets) {
    for (const target of targets) {
      await removeFromRegistry(client, target)
      print(`Removed: ${target}`)
    }
    return 0
  },
})
