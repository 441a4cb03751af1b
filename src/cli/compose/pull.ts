// dhow compose pull: fetches the images of services.

import { imageOf } from "../../compose/model.ts"
import { withDependencies } from "../../compose/order.ts"
import { DhowError } from "../../lib/errors.ts"
import { defineCommand } from "../command.ts"
import { printFailure } from "../failure.ts"
import { boolean, string } from "../flags/flags.ts"
import { checkServices } from "./globals.ts"
import { localImage, pullService } from "./images.ts"
import { Progress } from "./progress.ts"
import { openSession } from "./session.ts"

export const pull = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  summary: "Pull the images of services",
  flags: {
    "ignore-buildable": boolean("", "Not those that can be built"),
    "ignore-pull-failures": boolean("", "Go on with the others when one fails"),
    "include-deps": boolean("", "Also of the services that these need"),
    policy: string("", 'When to pull ("always", "missing")'),
    quiet: boolean("q", "Do not show progress"),
  } as const,
  args: [0, Number.POSITIVE_INFINITY],
  async run(context, flags, names) {
    if (flags.policy !== undefined && flags.policy !== "always" && flags.policy !== "missing")
      throw new DhowError("invalid", `unsupported policy ${JSON.stringify(flags.policy)}`)
    const opened = openSession(context, { named: names })
    checkServices(opened.project, names)
    const session = flags.quiet === true ? { ...opened, progress: new Progress("quiet") } : opened
    const { project, client, progress } = session
    const wanted = names.length === 0 || flags["include-deps"] === true ? withDependencies(project, names) : names
    const pulled = new Set<string>()
    for (const name of wanted) {
      const service = project.services[name]!
      const image = imageOf(project, service)
      if (service.image === undefined || (service.build !== undefined && flags["ignore-buildable"] === true)) {
        progress.line(
          name,
          service.image === undefined ? "Skipped - No image to be pulled" : "Skipped - Image can be built",
        )
        continue
      }
      if (pulled.has(image)) continue
      pulled.add(image)
      const isMissing =
        flags.policy === "missing" || service.pull_policy === "missing" || service.pull_policy === "never"
      if (isMissing && (await localImage(client, image)) !== undefined) {
        progress.line(name, "Skipped - Image is already present locally")
        continue
      }
      try {
        await pullService(project, service, session)
      } catch (error) {
        if (flags["ignore-pull-failures"] !== true) throw error
        printFailure(error)
      }
    }
    return 0
  },
})
