// dhow update: other limits, ports, mounts and settings for containers, running ones too.
import { updateContainer } from "../../../client/containers.ts"
import { DhowError } from "../../../lib/errors.ts"
import type { ContainerUpdateResponse } from "../../../wire/update.ts"
import { defineCommand } from "../../command.ts"
import { print, printError } from "../../output.ts"
import { forEachName } from "../../sequence.ts"
import { describeChanges } from "./describe.ts"
import { updateFlags, updateRequest } from "./flags.ts"

const MODIFIERS = ["Force", "RestartNow", "DryRun"]

export const update = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Change limits, ports, mounts and settings of containers",
  flags: updateFlags,
  args: [1, Number.POSITIVE_INFINITY],
  examples: [
    "dhow update --memory 1g --memory-swap 2g web",
    "dhow update --publish-add 8080:80 --mount-add /srv:/srv:ro web",
    "dhow update --env DEBUG=1 --restart-now web",
  ],
  async run({ client }, flags, names) {
    const changes = updateRequest(flags)
    if (Object.keys(changes).every((name) => MODIFIERS.includes(name)))
      throw new DhowError("invalid", "you must provide one or more flags when using this command")
    return forEachName(names, async (name) => {
      const answer = await updateContainer(client, name, changes)
      for (const warning of answer.Warnings ?? []) printError(`WARNING: ${warning}`)
      if (changes.DryRun !== true) remind(name, answer)
      else if (names.length > 1) print(`${name}:`)
      if (changes.DryRun !== true) return name
      const lines = describeChanges(answer.Changes ?? [])
      return lines.length === 0 ? "Nothing would change" : lines.join("\n")
    })
  },
})

/** What the running process does not know yet. */
export function remind(
  name: string,
  { Changes = [], Restarted }: Pick<ContainerUpdateResponse, "Changes" | "Restarted">,
): void {
  if (Restarted === true) return
  const later = Changes.filter(({ Effect }) => Effect === "restart").map(({ Field }) => Field)
  if (later.length > 0)
    printError(`${later.join(", ")} of "${name}" takes effect when it is restarted: dhow restart ${name}`)
}
