// dhow compose cp: files between this host and a container of a service.
import { DhowError } from "../../lib/errors.ts"
import { defineCommand } from "../command.ts"
import { cp as copy } from "../container/copy/cp.ts"
import { splitArgument } from "../container/copy/names.ts"
import { boolean, int } from "../flags/flags.ts"
import { containerAt, containersOf, openTarget } from "./project-or-name.ts"

export const cp = defineCommand({
  usage: "[OPTIONS] SERVICE:SRC_PATH DEST_PATH|-\n        dhow compose cp [OPTIONS] SRC_PATH|- SERVICE:DEST_PATH",
  summary: "Copy files between a service's container and this host",
  flags: {
    archive: boolean("a", "Give what is copied to the container's user"),
    "follow-link": boolean("L", "Copy what a symbolic link SRC_PATH leads to"),
    index: int("", "The container of this number"),
  } as const,
  args: [2, 2],
  examples: ["dhow compose cp app.conf web:/etc/", "dhow compose cp web:/var/log/. logs"],
  async run(context, flags, [from = "", to = ""]) {
    const source = splitArgument(from)
    const destination = splitArgument(to)
    const service = source.container ?? destination.container
    if (service === undefined)
      throw new DhowError("invalid", "unknown copy direction", { hint: "Name a service before one of the paths" })
    const target = await openTarget(context, [service])
    const isInto = source.container === undefined
    // What is copied in belongs into each container of the service, unless one is asked for.
    const containers =
      isInto && flags.index === undefined
        ? containersOf(target, [service])
        : [containerAt(target, service, flags.index)]
    if (containers.length === 0) throw new DhowError("not-found", `service "${service}" has no container`)
    const options = { archive: flags.archive, "follow-link": flags["follow-link"], quiet: true }
    for (const { id } of containers) {
      const words = isInto ? [from, `${id}:${destination.path}`] : [`${id}:${source.path}`, to]
      const status = await copy.run(context, options, words)
      if (status !== 0) return status
    }
    return 0
  },
})
