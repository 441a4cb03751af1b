// top, port, images: what can be read off the project's containers.
import { inspectContainer, topContainer } from "../../client/containers.ts"
import { inspectImage } from "../../client/images.ts"
import { DhowError, isKind } from "../../lib/errors.ts"
import { familiarName, parseReference } from "../../oci/reference.ts"
import { defineCommand } from "../command.ts"
import { boolean, int, string } from "../flags/flags.ts"
import { print, writeAll } from "../output.ts"
import { humanSize, shortId, timeAgo } from "../render/human.ts"
import { formatTable } from "../render/table.ts"
import { containerAt, containersOf, openTarget } from "./project-or-name.ts"

export const top = defineCommand({
  usage: "[SERVICE...]",
  summary: "Show the processes of containers",
  flags: {} as const,
  args: [0, Number.POSITIVE_INFINITY],
  async run(context, _flags, names) {
    const target = await openTarget(context, names)
    const running = containersOf(target, names).filter(({ state }) => state === "running")
    const tables = await Promise.all(
      running.map(async (one) => ({ one, top: await topContainer(target.client, one.id, "") })),
    )
    const rows: string[][] = []
    for (const { one, top: found } of tables)
      for (const process of found.Processes ?? []) rows.push([one.service, String(one.number), ...process])
    if (tables[0] !== undefined) writeAll(1, formatTable([["SERVICE", "#", ...tables[0].top.Titles], ...rows], 4))
    return 0
  },
})

export const port = defineCommand({
  usage: "[OPTIONS] SERVICE PRIVATE_PORT",
  summary: "Print where a port of a service is published",
  flags: {
    index: int("", "The container of this number"),
    protocol: string("", "tcp or udp", { default: "tcp" }),
  } as const,
  args: [2, 2],
  async run(context, flags, [service = "", given = ""]) {
    const [number = "", inPort] = given.split("/")
    const protocol = inPort ?? flags.protocol ?? "tcp"
    const target = await openTarget(context, [service])
    const container = containerAt(target, service, flags.index)
    const { NetworkSettings } = await inspectContainer(target.client, container.id)
    const bindings = NetworkSettings.Ports?.[`${number}/${protocol}`] ?? []
    const [binding] = bindings
    if (binding === undefined)
      throw new DhowError("not-found", `no port ${number}/${protocol} for container ${container.name}`)
    const ip = binding.HostIp ?? ""
    print(`${ip.includes(":") ? `[${ip}]` : ip}:${binding.HostPort}`)
    return 0
  },
})

export const images = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  summary: "List the images of the project's containers",
  flags: { format: string("", "table or json", { default: "table" }), quiet: boolean("q", "Only print IDs") } as const,
  args: [0, Number.POSITIVE_INFINITY],
  async run(context, flags, names) {
    const target = await openTarget(context, names)
    const containers = containersOf(target, names)
    const rows = await Promise.all(
      containers.map(async (container) => {
        const { Image, Config: config } = await inspectContainer(target.client, container.id)
        const image = await inspectImage(target.client, Image).catch((error: unknown) => {
          if (isKind(error, "not-found")) return undefined
          throw error
        })
        return { container: container.name, name: config.Image ?? Image, id: Image, image }
      }),
    )
    if (flags.quiet === true) {
      for (const id of new Set(rows.map((row) => row.id))) print(id.replace(/^sha256:/, ""))
      return 0
    }
    const cells = rows.map(({ container, name, id, image }) => {
      const reference = /^(?:sha256:)?[0-9a-f]{64}$/.test(name) ? undefined : parseReference(name)
      return {
        ContainerName: container,
        Repository: reference === undefined ? "<none>" : familiarName(reference),
        Tag: reference === undefined ? "<none>" : (reference.tag ?? "latest"),
        Platform:
          image === undefined ? "" : `${image.Os}/${image.Architecture}${image.Variant ? `/${image.Variant}` : ""}`,
        ID: id,
        Size: image?.Size ?? 0,
        Created: image?.Created ?? "",
      }
    })
    if (flags.format === "json") print(JSON.stringify(cells))
    else if (flags.format !== undefined && flags.format !== "table")
      throw new DhowError("invalid", `unsupported format ${JSON.stringify(flags.format)}`)
    else
      writeAll(
        1,
        formatTable([
          ["CONTAINER", "REPOSITORY", "TAG", "PLATFORM", "IMAGE ID", "SIZE", "CREATED"],
          ...cells.map((cell) => [
            cell.ContainerName,
            cell.Repository,
            cell.Tag,
            cell.Platform,
            shortId(cell.ID),
            humanSize(cell.Size, 3),
            cell.Created === "" ? "N/A" : timeAgo(Date.parse(cell.Created) / 1000),
          ]),
        ]),
      )
    return 0
  },
})
