// dhow history: the steps that made an image, newest first.
import { imageHistory } from "../../client/images.ts"
import type { ImageHistoryEntry } from "../../wire/image.ts"
import { defineCommand } from "../command.ts"
import { boolean, string } from "../flags/flags.ts"
import { ellipsis, humanSize, shortId, timeAgo } from "../render/human.ts"
import { type Row, showRows } from "../render/rows.ts"
import { parseImageName, platformJson } from "./image-name.ts"

const HEADERS = {
  ID: "IMAGE",
  CreatedSince: "CREATED",
  CreatedAt: "CREATED AT",
  CreatedBy: "CREATED BY",
  Size: "SIZE",
  Comment: "COMMENT",
} as const
const SHOWN = ["ID", "CreatedSince", "CreatedBy", "Size", "Comment"]

/** Images built reproducibly carry dates like 1970: no use in saying how long ago that is. */
const EPOCH = Date.UTC(2000, 0, 1) / 1000

export const history = defineCommand({
  usage: "[OPTIONS] IMAGE[@@PLATFORM]",
  summary: "Show the history of an image",
  flags: {
    format: string("", "Print each with a Go template, or 'table', 'json'"),
    human: boolean("H", "Print sizes and dates for people", { default: "true" }),
    "no-trunc": boolean("", "Do not shorten output"),
    platform: string("", "Platform to show, where the image has several"),
    quiet: boolean("q", "Only print IDs"),
  } as const,
  args: [1, 1],
  async run({ client }, flags, [text = ""]) {
    const { name, platform } = parseImageName(text, flags.platform)
    const options = { human: flags.human !== false, truncate: flags["no-trunc"] !== true }
    const entries = await imageHistory(client, name, platform === undefined ? undefined : platformJson(platform))
    await showRows(
      entries.map((entry) => historyRow(entry, options)),
      {
        columns: { headers: options.human ? HEADERS : { ...HEADERS, CreatedSince: "CREATED AT" }, shown: SHOWN },
        format: flags.format ?? "",
        quiet: flags.quiet === true ? "ID" : undefined,
      },
    )
    return 0
  },
})

function historyRow(entry: ImageHistoryEntry, options: { human: boolean; truncate: boolean }): Row {
  const createdAt = new Date(entry.Created * 1000).toISOString().replace(".000Z", "Z")
  const createdBy = entry.CreatedBy.replaceAll("\t", " ")
  return {
    Comment: entry.Comment,
    CreatedAt: createdAt,
    CreatedBy: options.truncate ? ellipsis(createdBy, 45) : createdBy,
    CreatedSince: options.human ? (entry.Created <= EPOCH ? "N/A" : timeAgo(entry.Created)) : createdAt,
    ID: options.truncate ? shortId(entry.Id) : entry.Id,
    Size: options.human ? humanSize(entry.Size, 3) : String(entry.Size),
  }
}
