// dhow compose config: the project as it is understood, or lists of what is in it.
import { writeFileSync } from "node:fs"
import { serviceHash } from "../../compose/hash.ts"
import { imageOf, type Project } from "../../compose/model.ts"
import { withoutUnused } from "../../compose/normalize.ts"
import { withDependencies } from "../../compose/order.ts"
import { openProject } from "../../compose/project.ts"
import { byCodePoint, renderProject } from "../../compose/render.ts"
import { DhowError } from "../../lib/errors.ts"
import { defineCommand } from "../command.ts"
import { boolean, string } from "../flags/flags.ts"
import { writeAll } from "../output.ts"
import { checkServices, optionsOf } from "./globals.ts"

export const config = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  summary: "Show the project in canonical form",
  flags: {
    environment: boolean("", "Print the environment that variables are taken from"),
    format: string("", "Format of the output: yaml or json", { default: "yaml" }),
    hash: string("", "Print the services' configuration hashes, one a line ('*' for all)", { value: "services" }),
    images: boolean("", "Print the names of images, one a line"),
    networks: boolean("", "Print the names of networks, one a line"),
    "no-consistency": boolean("", "Do not check that names lead somewhere"),
    "no-env-resolution": boolean("", "Leave env_file as it is"),
    "no-interpolate": boolean("", "Leave variables as they are"),
    "no-path-resolution": boolean("", "Leave relative paths as they are"),
    output: string("o", "Write to a file instead of standard output", { value: "file" }),
    profiles: boolean("", "Print the names of profiles, one a line"),
    quiet: boolean("q", "Only check"),
    services: boolean("", "Print the names of services, one a line"),
    volumes: boolean("", "Print the names of volumes, one a line"),
  } as const,
  args: [0, Number.POSITIVE_INFINITY],
  examples: ["dhow compose config", "dhow compose config --services", "dhow compose config --hash '*'"],
  async run(context, flags, names) {
    const options = optionsOf(context, {
      named: names,
      raw: flags["no-interpolate"] === true,
      keepPaths: flags["no-path-resolution"] === true,
      keepEnvFiles: flags["no-env-resolution"] === true,
      unchecked: flags["no-consistency"] === true,
      ...(flags.profiles === true ? { profiles: ["*"] } : {}),
    })
    const all = openProject(options)
    const hashed = flags.hash === undefined || flags.hash === "*" ? names : flags.hash.split(",")
    checkServices(all, hashed)
    const wanted = withDependencies(all, names)
    const selected = {
      ...all,
      services: Object.fromEntries(Object.entries(all.services).filter(([name]) => wanted.includes(name))),
    }
    const project = options.keepUnused === true ? selected : withoutUnused(selected)
    if (flags.format !== undefined && flags.format !== "yaml" && flags.format !== "json")
      throw new DhowError("invalid", `unsupported format ${JSON.stringify(flags.format)}`)
    if (flags.quiet === true) return 0
    const lines = listed(project, flags, hashed)
    const text =
      lines === undefined
        ? renderProject(project, flags.format ?? "yaml", { escaped: flags["no-interpolate"] !== true })
        : lines.map((line) => `${line}\n`).join("")
    const ended = text.endsWith("\n") || text === "" ? text : `${text}\n`
    if (flags.output === undefined) writeAll(1, ended)
    else writeFileSync(flags.output, ended)
    return 0
  },
})

type Lists = {
  readonly environment: boolean | undefined
  readonly hash: string | undefined
  readonly images: boolean | undefined
  readonly networks: boolean | undefined
  readonly profiles: boolean | undefined
  readonly services: boolean | undefined
  readonly volumes: boolean | undefined
}

function listed(project: Project, flags: Lists, hashed: readonly string[]): readonly string[] | undefined {
  const services = Object.values(project.services)
  if (flags.services === true) return Object.keys(project.services)
  if (flags.volumes === true) return Object.keys(project.volumes)
  if (flags.networks === true) return Object.keys(project.networks)
  if (flags.images === true) return services.map((service) => imageOf(project, service))
  if (flags.profiles === true) return [...new Set(services.flatMap(({ profiles }) => profiles ?? []))].sort(byCodePoint)
  if (flags.environment === true)
    return [...project.environment].map(([name, value]) => `${name}=${value}`).sort(byCodePoint)
  if (flags.hash === undefined) return undefined
  const shown = services.filter(({ name }) => hashed.length === 0 || hashed.includes(name))
  return shown.map((service) => `${service.name} ${serviceHash(service)}`)
}
