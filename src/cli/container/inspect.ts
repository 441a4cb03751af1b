// dhow inspect: everything the daemon knows of containers, images, volumes or networks, as JSON or through a template.
import type { Client } from "../../client/client.ts"
import { inspectContainerText } from "../../client/containers.ts"
import { inspectImageText } from "../../client/images.ts"
import { inspectNetworkText } from "../../client/networks.ts"
import { inspectVolumeText } from "../../client/system.ts"
import { DhowError, isKind } from "../../lib/errors.ts"
import { defineCommand } from "../command.ts"
import { boolean, string } from "../flags/flags.ts"
import { parseImageName, platformJson } from "../image/image-name.ts"
import { showObjects } from "../render/inspect.ts"

type Kind = { readonly name: string; fetch(client: Client, name: string, size: boolean): Promise<string> }

const KINDS: readonly Kind[] = [
  { name: "container", fetch: (client, name, size) => inspectContainerText(client, name, { size }) },
  {
    name: "image",
    fetch: (client, text) => {
      const { name, platform } = parseImageName(text)
      return inspectImageText(client, name, platform === undefined ? undefined : platformJson(platform))
    },
  },
  { name: "network", fetch: inspectNetworkText },
  { name: "volume", fetch: inspectVolumeText },
]

const format = string("f", "Print each with a Go template, or 'json'")

export const inspect = defineCommand({
  usage: "[OPTIONS] NAME|ID [NAME|ID...]",
  summary: "Show details of containers, images, networks and volumes",
  flags: {
    format,
    size: boolean("s", "Show sizes of containers"),
    type: string("", "Only objects of this kind (container|image|network|volume)"),
  } as const,
  args: [1, Number.POSITIVE_INFINITY],
  examples: ["dhow inspect -f '{{.State.Status}}' web", "dhow inspect --type image debian"],
  async run({ client }, flags, names) {
    const kinds = flags.type === undefined ? KINDS : KINDS.filter(({ name }) => name === flags.type)
    if (kinds.length === 0)
      throw new DhowError("invalid", `${JSON.stringify(flags.type)} is not a valid value for --type`)
    const size = flags.size === true
    return showObjects(names, flags.format, (name) => find(client, kinds, { name, size }))
  },
})

async function find(client: Client, kinds: readonly Kind[], wanted: { name: string; size: boolean }): Promise<string> {
  for (const kind of kinds) {
    try {
      return await kind.fetch(client, wanted.name, wanted.size)
    } catch (error) {
      // A name may be malformed for one kind and right for the next.
      const isElsewhere = isKind(error, "not-found") || isKind(error, "invalid")
      if (!isElsewhere || kinds.length === 1) throw error
    }
  }
  throw new DhowError("not-found", `No such object: ${wanted.name}`)
}

export const containerInspect = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Show details of one or more containers",
  flags: { format, size: boolean("s", "Show sizes") } as const,
  args: [1, Number.POSITIVE_INFINITY],
  run: ({ client }, flags, names) =>
    showObjects(names, flags.format, (name) => inspectContainerText(client, name, { size: flags.size === true })),
})
