// dhow compose create and scale: containers without starting them, and as many of them as is asked for.
import { DhowError } from "../../lib/errors.ts"
import { defineCommand } from "../command.ts"
import { boolean } from "../flags/flags.ts"
import { bringUp, createFlags, scaled } from "./bring-up.ts"
import { openSession } from "./session.ts"
import { startServices } from "./starting.ts"

export const create = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  summary: "Create the containers of services",
  flags: createFlags,
  args: [0, Number.POSITIVE_INFINITY],
  async run(context, flags, names) {
    const opened = openSession(context, { named: names })
    await bringUp({ ...opened, project: scaled(opened.project, flags.scale) }, flags, { asked: names })
    return 0
  },
})

export const scale = defineCommand({
  usage: "[OPTIONS] SERVICE=NUM [SERVICE=NUM...]",
  summary: "Set how many containers services have",
  flags: { "no-deps": boolean("", "Without the services that these need") } as const,
  args: [1, Number.POSITIVE_INFINITY],
  examples: ["dhow compose scale web=3"],
  async run(context, flags, scales) {
    const names = scales.map((text) => text.split("=", 1)[0]!)
    if (scales.some((text) => !/^[^=]+=\d+$/.test(text)))
      throw new DhowError("invalid", `invalid scale specifier: ${scales.find((text) => !/^[^=]+=\d+$/.test(text))}`)
    const opened = openSession(context, { named: names })
    const session = { ...opened, project: scaled(opened.project, scales) }
    const nothing = {
      build: undefined,
      "always-recreate-deps": undefined,
      "force-recreate": undefined,
      "no-build": undefined,
      "no-recreate": true,
      pull: undefined,
      "remove-orphans": undefined,
      scale: [],
      timeout: undefined,
      yes: undefined,
    }
    await startServices(
      session,
      await bringUp(session, nothing, { asked: names, noDependencies: flags["no-deps"] === true }),
    )
    return 0
  },
})
