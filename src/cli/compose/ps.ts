// dhow compose ps: the project's containers.
import { LABEL } from "../../compose/labels.ts"
import { DhowError } from "../../lib/errors.ts"
import type { ContainerSummary } from "../../wire/container.ts"
import { defineCommand } from "../command.ts"
import { containerRow } from "../container/row.ts"
import { boolean, list, string } from "../flags/flags.ts"
import { print } from "../output.ts"
import { type Row, showRows } from "../render/rows.ts"
import { listProject, nameOf, observedContainer } from "./observed.ts"
import { containersOf, openTarget } from "./project-or-name.ts"

const HEADERS = {
  Name: "NAME",
  Image: "IMAGE",
  Command: "COMMAND",
  Service: "SERVICE",
  RunningFor: "CREATED",
  Status: "STATUS",
  Ports: "PORTS",
  ID: "CONTAINER ID",
  Project: "PROJECT",
  State: "STATE",
  CreatedAt: "CREATED AT",
  Labels: "LABELS",
  Mounts: "MOUNTS",
  Networks: "NETWORKS",
} as const

const STATES = ["paused", "restarting", "removing", "running", "dead", "created", "exited"]

export const ps = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  summary: "List the project's containers",
  flags: {
    all: boolean("a", "Also stopped ones, and those of `run`"),
    filter: string("", "Only those with this property (status=running)"),
    format: string("", "Print each with a Go template, or 'table', 'json'"),
    "no-trunc": boolean("", "Do not shorten output"),
    orphans: boolean("", "Also those of services that are no longer there", { default: "true" }),
    quiet: boolean("q", "Only print IDs"),
    services: boolean("", "Only print the names of services"),
    status: list("", "Only those in this state"),
  } as const,
  args: [0, Number.POSITIVE_INFINITY],
  examples: ["dhow compose ps", "dhow compose ps -a --format '{{.Name}} {{.Status}}'"],
  async run(context, flags, names) {
    const states = [...flags.status]
    if (flags.filter !== undefined) {
      const [name = "", value] = flags.filter.split("=", 2)
      if (value === undefined) throw new DhowError("invalid", "arguments to --filter should be in form KEY=VAL")
      if (name !== "status") throw new DhowError("invalid", `unknown filter ${name}`)
      states.push(value)
    }
    for (const state of states)
      if (!STATES.includes(state)) throw new DhowError("invalid", `unknown status ${JSON.stringify(state)}`)
    const target = await openTarget(context, names)
    const isAll = flags.all === true || states.length > 0
    const wanted = new Set(containersOf(target, names, { oneOff: isAll }).map(({ id }) => id))
    const known = target.project?.services
    const summaries = (await listProject(target.client, target.name)).filter((summary) => {
      const { id, state, service } = observedContainer(summary)
      if (!wanted.has(id) || (states.length > 0 && !states.includes(state))) return false
      if (!isAll && (state === "exited" || state === "created" || state === "dead")) return false
      return flags.orphans !== false || known === undefined || Object.hasOwn(known, service)
    })
    summaries.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
    if (flags.services === true) {
      for (const service of new Set(summaries.map((one) => one.Labels?.[LABEL.service] ?? ""))) print(service)
      return 0
    }
    if (flags.quiet === true) {
      for (const { Id } of summaries) print(Id)
      return 0
    }
    const truncate = flags["no-trunc"] !== true
    const rows = summaries.map((summary) => {
      const { PlatformNote: _, ...row } = containerRow(summary, { truncate, size: false })
      const { service, state } = observedContainer(summary)
      return { ...row, Name: nameOf(summary), Service: service, Project: target.name, State: state }
    })
    if (flags.format === "json") {
      for (const [index, summary] of summaries.entries())
        print(JSON.stringify({ ...fieldsOf(summary), ...plainFields(rows[index]!) }))
      return 0
    }
    const shown = ["Name", "Image", "Command", "Service", "RunningFor", "Status", "Ports"]
    await showRows(rows, { columns: { headers: HEADERS, shown }, format: flags.format ?? "" })
    return 0
  },
})

/** What a table has no place for. */
function fieldsOf({ Id, Status, Ports }: ContainerSummary): Record<string, unknown> {
  return {
    ID: Id,
    Health: /\((?:health: )?(healthy|unhealthy|starting)\)/.exec(Status)?.[1] ?? "",
    ExitCode: Number(/^Exited \((\d+)\)/.exec(Status)?.[1] ?? 0),
    Publishers: Ports.map(({ IP, PrivatePort, PublicPort, Type }) => ({
      URL: IP ?? "",
      TargetPort: PrivatePort,
      PublishedPort: PublicPort ?? 0,
      Protocol: Type,
    })),
  }
}

function plainFields(row: Row): Row {
  return Object.fromEntries(
    Object.entries(row).filter(([name, value]) => typeof value !== "function" && value !== null && name !== "ID"),
  )
}
