// dhow images: one row for each name of each image; in tables, and where a template asks for the platform, one for each
// platform of it.
import { checkFilter, parseFilters } from "../../client/filters.ts"
import { listImages } from "../../client/images.ts"
import { formatPlatform, type Platform, parsePlatform, samePlatform } from "../../oci/platform.ts"
import type { ImageSummary } from "../../wire/image.ts"
import { defineCommand } from "../command.ts"
import { boolean, list, string } from "../flags/flags.ts"
import { formatTime, humanSize, shortId, timeAgo } from "../render/human.ts"
import { type Row, showRows } from "../render/rows.ts"

export const IMAGE_HEADERS = {
  ID: "IMAGE ID",
  Platform: "PLATFORM",
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
  usage: "[OPTIONS] [REPOSITORY[:TAG]][@@PLATFORM]",
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
  async run({ client }, flags, [text]) {
    const { platform: platforms = [], ...filters } = parseFilters(flags.filter)
    if (text !== undefined) {
      const at = text.indexOf("@@")
      const reference = at < 0 ? text : text.slice(0, at)
      if (reference !== "") filters["reference"] = [...(filters["reference"] ?? []), reference]
      if (at >= 0) platforms.push(text.slice(at + 2))
    }
    const wanted = platforms.map(parsePlatform)
    const format = flags.format ?? ""
    const quiet = flags.quiet === true
    const perPlatform = wanted.length > 0 || (!quiet && (/^(?:table|$)/.test(format) || /\.Platform\b/.test(format)))
    const found = await listImages(client, {
      all: flags.all === true,
      filters,
      manifests: perPlatform || format.includes("json"),
    })
    const truncate = flags["no-trunc"] !== true
    const isDangling = filters["dangling"]?.includes("true") === true
    const digests = flags.digests === true
    const shown = ["Repository", "Tag", ...(digests ? ["Digest"] : []), "ID", "Platform", "CreatedSince", "Size"]
    await showRows(
      found
        .flatMap((image) => (perPlatform ? platformsOf(image, wanted) : [image]))
        .flatMap((image) => imageRows(image, { truncate, digests, isDangling })),
      {
        columns: { headers: IMAGE_HEADERS, shown },
        format,
        quiet: quiet ? "ID" : undefined,
      },
    )
    return 0
  },
})

/** An image as one for each of its platforms that are here. */
function platformsOf(image: ImageSummary, wanted: readonly Platform[]): readonly ImageSummary[] {
  const here = (image.Manifests ?? []).filter(
    ({ Available, Kind, ImageData }) =>
      Available &&
      Kind === "image" &&
      ImageData !== undefined &&
      (wanted.length === 0 || wanted.some((platform) => samePlatform(platform, ImageData.Platform))),
  )
  // A daemon that lists no manifests has one platform for each image, and does not say which.
  if (image.Manifests === undefined) return wanted.length === 0 ? [image] : []
  return here.map((manifest) => ({
    ...image,
    ...namesOf(image, manifest.ImageData?.Names),
    Id: manifest.ImageData?.ImageID ?? image.Id,
    Created: manifest.ImageData?.Created ?? image.Created,
    Size: manifest.ImageData?.Size.Unpacked || image.Size,
    Containers: manifest.ImageData?.Containers?.length ?? image.Containers,
    Manifests: [manifest],
  }))
}

/** Those of the names that lead to one of the platforms; all of them where the daemon does not say. */
function namesOf({ RepoTags, RepoDigests }: ImageSummary, own: readonly string[] | undefined) {
  if (own === undefined) return {}
  return {
    RepoTags: RepoTags.filter((name) => own.includes(name)),
    RepoDigests: RepoDigests.filter((name) => own.includes(name)),
  }
}

function platformText({ Manifests = [] }: ImageSummary): string {
  const names = Manifests.flatMap(({ Available, Kind, ImageData }) =>
    Available && Kind === "image" && ImageData !== undefined ? formatPlatform(ImageData.Platform) : [],
  )
  return names.join(",")
}

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
    Platform: platformText(image),
    Repository: name.repository,
    SharedSize: image.SharedSize < 0 ? "N/A" : humanSize(image.SharedSize),
    Size: humanSize(image.Size, 3),
    Tag: name.tag,
    UniqueSize: image.SharedSize < 0 ? "N/A" : humanSize(image.Size - image.SharedSize),
    VirtualSize: humanSize(image.Size),
  }
}
