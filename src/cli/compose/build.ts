// dhow compose build: refused by name until this version has a builder; services without a build section need none.
import type { Project } from "../../compose/model.ts"
import { imageOf } from "../../compose/model.ts"
import { defineCommand } from "../command.ts"
import { checkServices } from "./globals.ts"
import { notBuilt } from "./images.ts"
import { openSession } from "./session.ts"

export const build = defineCommand({
  usage: "[SERVICE...]",
  summary: "Build the images of services",
  flags: {} as const,
  args: [0, Number.POSITIVE_INFINITY],
  async run(context, _flags, names) {
    const { project } = openSession(context, { named: names })
    checkServices(project, names)
    buildServices(project, names.length === 0 ? Object.keys(project.services) : names)
    return 0
  },
})

/** Throws for the first service that would have to be built. */
export function buildServices(project: Project, names: readonly string[]): void {
  for (const name of names) {
    const service = project.services[name]!
    if (service.build !== undefined) throw notBuilt(service, imageOf(project, service))
  }
}
