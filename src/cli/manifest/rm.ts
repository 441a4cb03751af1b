// dhow manifest rm: forgets lists that were put together here; what was pushed stays in its registry.
import { removeManifestList } from "../../client/manifests.ts"
import { defineCommand } from "../command.ts"
import { forEachName } from "../sequence.ts"

export const rm = defineCommand({
  usage: "MANIFEST_LIST [MANIFEST_LIST...]",
  summary: "Forget one or more lists that were made here",
  flags: {},
  args: [1, Number.POSITIVE_INFINITY],
  run: ({ client }, _flags, lists) =>
    forEachName(lists, async (list) => {
      await removeManifestList(client, list)
      return undefined
    }),
})
