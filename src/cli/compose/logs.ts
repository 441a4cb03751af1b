// dhow compose logs: what the project's containers wrote, behind their names.

import { serverEvents } from "../../client/system.ts"
import { LABEL } from "../../compose/labels.ts"
import { DhowError } from "../../lib/errors.ts"
import { defineCommand } from "../command.ts"
import { apiTime } from "../container/logs.ts"
import { boolean, int, string } from "../flags/flags.ts"
import { globalsOf } from "./globals.ts"
import { colourOf, LogView } from "./log-view.ts"
import { shortName } from "./observed.ts"
import { containersOf, openTarget, type Target } from "./project-or-name.ts"

export const logs = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  summary: "Show what containers wrote",
  flags: {
    follow: boolean("f", "Go on with what comes"),
    index: int("", "Only the container of this number"),
    "no-color": boolean("", "Without colours"),
    "no-log-prefix": boolean("", "Without the names before lines"),
    since: string("", "Only from this time on (2024-05-01T12:00:00Z, or 42m ago)"),
    tail: string("n", "Number of lines from the end of each log", { default: "all" }),
    timestamps: boolean("t", "Show when each line was written"),
    until: string("", "Only up to this time (2024-05-01T12:00:00Z, or 42m ago)"),
  } as const,
  args: [0, Number.POSITIVE_INFINITY],
  examples: ["dhow compose logs -f web", "dhow compose logs --tail 20"],
  async run(context, flags, names) {
    if (flags.index !== undefined && names.length !== 1)
      throw new DhowError("invalid", "--index requires one service to be selected")
    const target = await openTarget(context, names)
    const containers = containersOf(target, names).filter(
      ({ number }) => flags.index === undefined || number === flags.index,
    )
    const view = new LogView({
      prefix: flags["no-log-prefix"] !== true,
      colour: colourOf(globalsOf(context).ansi, flags["no-color"]),
    })
    for (const { name } of containers) view.know(shortName(target.name, name))
    const query = {
      follow: flags.follow === true,
      timestamps: flags.timestamps === true,
      since: apiTime(flags.since),
      until: apiTime(flags.until),
      tail: flags.tail,
    }
    const show = (
      id: string,
      name: string,
      more: { readonly since?: string; readonly tail?: string } = {},
    ): Promise<void> => view.show(target.client, { id, shown: shortName(target.name, name) }, { ...query, ...more })
    if (flags.follow !== true) {
      for (const { id, name } of containers) await show(id, name)
      return 0
    }
    // A container logs before its start is told: of one that starts again, everything since its last end is new.
    const begun = Date.now()
    const endedAt = new Map<string, number>()
    const follow = async (
      id: string,
      name: string,
      more: { readonly since?: string; readonly tail?: string } = {},
    ): Promise<void> => {
      await show(id, name, more)
      endedAt.set(id, Date.now())
    }
    const shown = Promise.all(containers.map(({ id, name }) => follow(id, name)))
    await Promise.race([
      shown.then(() => undefined),
      followStarts(target, names, (id, name) =>
        follow(id, name, { since: ((endedAt.get(id) ?? begun) / 1000).toFixed(3), tail: "all" }),
      ),
    ])
    await shown
    return 0
  },
})

/** Containers that start later are shown too. Never resolves by itself. */
async function followStarts(
  target: Target,
  names: readonly string[],
  show: (id: string, name: string) => Promise<void>,
): Promise<void> {
  const events = await serverEvents(target.client, {
    filters: {
      type: ["container"],
      event: ["start"],
      label: [`${LABEL.project}=${target.name}`, `${LABEL.oneOff}=False`],
    },
  })
  for await (const { Actor } of events) {
    const service = Actor.Attributes[LABEL.service] ?? ""
    if (names.length > 0 && !names.includes(service)) continue
    show(Actor.ID, Actor.Attributes["name"] ?? Actor.ID).catch(() => {})
  }
}
