// dhow images: one row for each name of each image.
import { checkFilter, parseFilters } from "../../client/filters.ts"
import { listImages } from "../../client/images.ts"
import type { ImageSummary } from "../../wire/image.ts"
import { defineCommand } from "../command.ts"
import { boolean, list, string } from "../flags/flags.ts"
import { formatTime, humanSize, shortId, timeAgo } from "../render/human.ts"
import { type Row, showRows } from "../render/rows.ts"

export const IMAGE_HEADERS = {
  ID: "IMAGE ID",
  Repository: "REPOSITORY",
  Tag: "TAG",
  Digest: "DIGEST",
  CreatedSince: "CREATED",
  CreatedAt: "CREATED AT",
  Size: "SIZE",
  Containers: "CONTAINERS",
  VirtualSize: "VIRTUAL SIZE",
  SharedSize: "SHARED SIZE",
  UniqueSize: "UNIQUE SIZE",
} as const

export const images = defineCommand({
  usage: "[OPTIONS] [REPOSITORY[:TAG]]",
  summary: "List images",
  flags: {
    all: boolean("a", "Show all images, intermediate ones too"),
    digests: boolean("", "Show digests"),
    filter: list("f", "Show only what matches (dangling=true, label=x)", { value: "filter", check: checkFilter }),
    format: string("", "Print each with a Go template, or 'table', 'json'"),
    "no-trunc": boolean("", "Do not shorten output"),
    quiet: boolean("q", "Only print IDs"),
  } as const,
  args: [0, 1],
  examples: ["dhow images", "dhow images -q debian", "dhow images --format '{{.Repository}}:{{.Tag}} {{.Size}}'"],
  async run({ client }, flags, [reference]) {
    const filters = parseFilters(flags.filter)
    if (reference !== undefined) filters["reference"] = [...(filters["reference"] ?? []), reference]
    const found = await listImages(client, { all: flags.all === true, filters })
    const truncate = flags["no-trunc"] !== true
    const isDangling = filters["dangling"]?.includes("true") === true
    const digests = flags.digests === true
    const shown = ["Repository", "Tag", ...(digests ? ["Digest"] : []), "ID", "CreatedSince", "Size"]
    await showRows(
      found.flatMap((image) => imageRows(image, { truncate, digests, isDangling })),
      {
        columns: { headers: IMAGE_HEADERS, shown },
        format: flags.format ?? "",
        quiet: flags.quiet === true ? "ID" : undefined,
      },
    )
    return 0
  },
})

export type ImageRowOptions = { readonly truncate: boolean; readonly digests: boolean; readonly isDangling: boolean }

export function imageRows(image: ImageSummary, options: ImageRowOptions): Row[] {
  const names = (image.RepoTags ?? []).filter((name) => name !== "<none>:<none>")
  const digests = (image.RepoDigests ?? []).filter((name) => name !== "<none>@<none>")
  const row = (repository: string, tag: string, digest: string): Row =>
    imageRow(image, { repository, tag, digest }, options)
  const byRepository = new Map(
    digests.map((name) => [name.slice(0, name.indexOf("@")), name.slice(name.indexOf("@") + 1)]),
  )
  if (names.length > 0)
    return names.map((name) => {
      const colon = name.lastIndexOf(":")
      const repository = name.slice(0, colon)
      return row(repository, name.slice(colon + 1), byRepository.get(repository) ?? "<none>")
    })
  if (byRepository.size > 0) return [...byRepository].map(([repository, digest]) => row(repository, "<none>", digest))
  return [row("<none>", "<none>", "<none>")]
}

type Name = { readonly repository: string; readonly tag: string; readonly digest: string }

function imageRow(image: ImageSummary, name: Name, options: ImageRowOptions): Row {
  return {
    Containers: image.Containers < 0 ? "N/A" : String(image.Containers),
    // Only when it is shown: the first use of the local time zone costs more than the whole request.
    get CreatedAt() {
      return formatTime(image.Created)
    },
    CreatedSince: image.Created < 1 ? "N/A" : timeAgo(image.Created),
    Digest: name.digest,
    ID: options.truncate ? shortId(image.Id) : image.Id,
    Repository: name.repository,
    SharedSize: image.SharedSize < 0 ? "N/A" : humanSize(image.SharedSize),
    Size: humanSize(image.Size, 3),
    Tag: name.tag,
    UniqueSize: image.SharedSize < 0 ? "N/A" : humanSize(image.Size - image.SharedSize),
    VirtualSize: humanSize(image.Size),
  }
}
