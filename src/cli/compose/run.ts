// dhow compose run: a container of a service for one command, beside those that `up` makes.
import { randomBytes } from "node:crypto"
import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import { createContainer, inspectContainer, startContainer, waitContainer } from "../../client/containers.ts"
import { createRequest } from "../../compose/container.ts"
import { parseEnvFile } from "../../compose/env-file.ts"
import { containerLabels } from "../../compose/labels.ts"
import { imageOf, type Project, type Service, type ServiceMount, type ServicePort } from "../../compose/model.ts"
import { scalar, toPlain } from "../../compose/node.ts"
import { withDependencies } from "../../compose/order.ts"
import { resolveReferences } from "../../compose/references.ts"
import { longMount, longPorts } from "../../compose/short.ts"
import { splitWords } from "../../compose/words.ts"
import { DhowError } from "../../lib/errors.ts"
import { isTerminal } from "../../lib/syscalls/terminal.ts"
import { VERSION } from "../../lib/version.ts"
import { defineCommand } from "../command.ts"
import { attachTo, exitStatus } from "../container/attached.ts"
import { boolean, type FlagValues, list, string } from "../flags/flags.ts"
import { print } from "../output.ts"
import { bringUp, onlyUsed, pullPolicy, refuseUnsupported } from "./bring-up.ts"
import { linksOf } from "./converge.ts"
import { checkServices } from "./globals.ts"
import { ensureImages } from "./images.ts"
import { injectFiles } from "./inject.ts"
import { observeContainers } from "./observed.ts"
import { ensureResources } from "./resources.ts"
import { openSession, type Session } from "./session.ts"
import { startServices } from "./starting.ts"

const flags = {
  build: boolean("", "Build the image before"),
  "cap-add": list("", "Add Linux capabilities"),
  "cap-drop": list("", "Drop Linux capabilities"),
  detach: boolean("d", "Run in the background and print the container's name"),
  entrypoint: string("", "Another entry point than the image's"),
  env: list("e", "Set environment variables"),
  "env-from-file": list("", "Read environment variables from a file"),
  interactive: boolean("i", "Keep standard input open", { default: "true" }),
  label: list("l", "Add or override a label"),
  name: string("", "Name of the container"),
  "no-deps": boolean("", "Without the services that it needs"),
  "no-tty": boolean("T", "Allocate no pseudo-terminal (one is by default, on a terminal)"),
  publish: list("p", "Publish a port"),
  pull: string("", 'When to pull the image ("always", "missing", "never")', { value: "policy" }),
  "remove-orphans": boolean("", "Remove containers of services that are no longer there"),
  rm: boolean("", "Remove the container when it has ended"),
  "service-ports": boolean("P", "Publish the service's ports"),
  tty: boolean("t", "Allocate a pseudo-terminal", { hidden: true }),
  "use-aliases": boolean("", "Have the service's names on its networks"),
  user: string("u", "User name or ID"),
  volume: list("v", "Mount a volume or directory"),
  workdir: string("w", "Working directory in the container"),
} as const

type RunFlags = FlagValues<typeof flags>

export const run = defineCommand({
  usage: "[OPTIONS] SERVICE [COMMAND] [ARG...]",
  summary: "Run a command in a container of its own",
  flags,
  args: [1, Number.POSITIVE_INFINITY],
  interspersed: false,
  examples: ["dhow compose run --rm web sh", "dhow compose run --rm -T db psql -f - < dump.sql"],
  async run(context, flags, [name = "", ...command]) {
    const session = openSession(context, { named: [name] })
    const { client, project, progress } = session
    checkServices(project, [name])
    refuseUnsupported(project, [name])
    if (flags.build === true) (await import("./build.ts")).buildServices(project, [name])
    if (flags["no-deps"] !== true) await startNeeded(session, name, flags)
    const images = await ensureImages(project, [name], { client, progress, pull: pullPolicy(flags.pull) })
    await ensureResources({ ...session, project: onlyUsed(project, [name]) }, { confirm: async () => false })
    const service = oneOff(project, project.services[name]!, flags, command)
    const current = new Map<string, { readonly id: string; readonly name: string }[]>()
    for (const one of (await observeContainers(client, project.name)).filter(({ isOneOff }) => !isOneOff))
      current.set(one.service, [...(current.get(one.service) ?? []), one])
    const resolved = resolveReferences(service, (other) => current.get(other)?.[0]?.id)
    const slug = randomBytes(32).toString("hex")
    const shown = flags.name ?? `${project.name}-${name}-run-${slug.slice(0, 12)}`
    const attachStdin = flags.detach !== true && flags.interactive !== false
    const request = createRequest(project, resolved, {
      name: shown,
      labels: containerLabels(project, resolved, {
        number: undefined,
        image: images.get(name),
        version: VERSION,
        slug,
      }),
      aliases: flags["use-aliases"] === true ? [name] : [],
      links: linksOf(project, resolved, current),
      attachStdin,
      autoRemove: flags.rm === true && flags.detach === true,
      readFile: (path) => readFileSync(resolve(project.directory, path), "utf8"),
    })
    const { Id: id } = await createContainer(
      client,
      { ...request, Image: imageOf(project, service) },
      { name: shown, platform: service.platform },
    )
    await injectFiles(session, service, id)
    if (flags.detach === true) {
      await startContainer(client, id)
      print(shown)
      return 0
    }
    return attachAndStart(session, id, { stdin: attachStdin, remove: flags.rm === true })
  },
})

async function startNeeded(session: Session, name: string, flags: RunFlags): Promise<void> {
  const needed = withDependencies(session.project, [name]).filter((one) => one !== name)
  if (needed.length === 0) return
  const nothing = {
    build: undefined,
    "always-recreate-deps": undefined,
    "force-recreate": undefined,
    "no-build": undefined,
    "no-recreate": undefined,
    pull: undefined,
    "remove-orphans": flags["remove-orphans"],
    scale: [],
    timeout: undefined,
    yes: undefined,
  }
  const brought = await bringUp(session, nothing, { asked: needed })
  await startServices(session, { names: brought.names })
}

async function attachAndStart(
  { client }: Session,
  id: string,
  { stdin, remove }: { readonly stdin: boolean; readonly remove: boolean },
): Promise<number> {
  const container = await inspectContainer(client, id)
  const attached = await attachTo(client, container, { stdin, detachKeys: undefined, proxySignals: true })
  const { result } = await waitContainer(client, id, "next-exit")
  try {
    await startContainer(client, id)
    await attached.followSize()
    if ((await attached.end) === "detached") return 0
    return exitStatus(await result)
  } finally {
    attached.close()
    result.catch(() => {})
    if (remove) {
      const { removeContainer } = await import("../../client/containers.ts")
      await removeContainer(client, id, { force: true, volumes: true })
    }
  }
}

/** The service for one command: what the command line says over what the files say. */
function oneOff(project: Project, service: Service, flags: RunFlags, command: readonly string[]): Service {
  const { restart: _r, container_name: _n, ports, scale: _s, deploy, ...rest } = service
  const { restart_policy: _p, ...kept } = deploy ?? {}
  const interactive = flags.detach !== true && flags.interactive !== false
  const tty = interactive && flags["no-tty"] !== true && flags.tty !== false && isTerminal(0) && isTerminal(1)
  const published = flags.publish.flatMap((text) =>
    longPorts(scalar(text, PLACE)).map((node) => toPlain(node) as unknown as ServicePort),
  )
  const volumes = flags.volume.map((text) => {
    const mount = toPlain(longMount(scalar(text, PLACE))!) as unknown as ServiceMount
    return mount.type === "bind" ? { ...mount, source: resolve(mount.source ?? "") } : mount
  })
  const named = volumes.find(
    ({ type, source }) => type === "volume" && source !== undefined && !Object.hasOwn(project.volumes, source),
  )
  if (named !== undefined)
    throw new DhowError("invalid", `service "${service.name}" refers to undefined volume ${named.source}`)
  const added = {
    ...(kept && deploy !== undefined ? { deploy: kept } : {}),
    ...(command.length > 0 ? { command } : flags.entrypoint !== undefined ? { command: [] } : {}),
    ...(flags.entrypoint !== undefined ? { entrypoint: splitWords(flags.entrypoint) } : {}),
    ...(flags.user === undefined ? {} : { user: flags.user }),
    ...(flags.workdir === undefined ? {} : { working_dir: flags.workdir }),
    ...(flags["service-ports"] === true && ports !== undefined
      ? { ports: [...ports, ...published] }
      : { ports: published }),
    ...(volumes.length === 0
      ? {}
      : {
          volumes: [
            ...(service.volumes ?? []).filter(({ target }) => !volumes.some((one) => one.target === target)),
            ...volumes,
          ],
        }),
    ...(flags["cap-add"].length + flags["cap-drop"].length === 0
      ? {}
      : {
          cap_add: [...(service.cap_add ?? []).filter((one) => !flags["cap-drop"].includes(one)), ...flags["cap-add"]],
          cap_drop: [
            ...(service.cap_drop ?? []).filter((one) => !flags["cap-add"].includes(one)),
            ...flags["cap-drop"],
          ],
        }),
  }
  const labels = {
    ...service.labels,
    ...Object.fromEntries(
      flags.label.map((text) => [text.split("=", 1)[0]!, text.includes("=") ? text.slice(text.indexOf("=") + 1) : ""]),
    ),
  }
  return {
    ...rest,
    ...added,
    labels,
    tty,
    stdin_open: interactive,
    environment: { ...service.environment, ...environmentOf(project, flags) },
  }
}

const PLACE = { file: "command line", line: 1, column: 1 }

function environmentOf(project: Project, flags: RunFlags): Record<string, string> {
  const found: Record<string, string> = {}
  const lookup = (name: string): string | undefined => project.environment.get(name)
  for (const path of flags["env-from-file"])
    for (const [name, value] of parseEnvFile(readFileSync(path, "utf8"), path, { lookup })) found[name] = value
  for (const text of flags.env) {
    const equals = text.indexOf("=")
    const value = equals < 0 ? lookup(text) : text.slice(equals + 1)
    if (value !== undefined) found[equals < 0 ? text : text.slice(0, equals)] = value
  }
  return found
}
