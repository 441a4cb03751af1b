// dhow image diff: how the files of two images, or of an image and a container, differ.
import { imageDifference } from "../../client/image-contents.ts"
import type { Aspect, FileDifference, FileEntry } from "../../wire/image-contents.ts"
import { defineCommand } from "../command.ts"
import { boolean, string } from "../flags/flags.ts"
import { CHANGE_LETTERS, modeText, ownerText, pathText } from "../render/file-entry.ts"
import { humanSize } from "../render/human.ts"
import { shownName } from "../render/names.ts"
import { type Row, showRows } from "../render/rows.ts"
import { parseImageNames } from "./image-name.ts"
import { platformFlag } from "./platform-flag.ts"

const HEADERS = { Change: "CHANGE", Size: "SIZE", Path: "PATH", Details: "DETAILS", Type: "TYPE" } as const

export const imageDiff = defineCommand({
  usage: "[OPTIONS] IMAGE IMAGE|CONTAINER",
  summary: "Show how the files of two images, or of an image and a container, differ",
  flags: {
    format: string("", "Print each with a Go template, or 'table', 'json'"),
    "no-trunc": boolean("", "Print sizes in bytes"),
    platform: platformFlag,
    quiet: boolean("q", "Print nothing; status 1 tells that there are differences"),
    times: boolean("", "Show files whose time alone differs, too"),
  } as const,
  args: [2, 2],
  examples: [
    "dhow image diff web:1 web:2",
    "dhow image diff debian my-container",
    "dhow image diff -q a b || echo differ",
  ],
  async run({ client }, flags, [first = "", second = ""]) {
    const size = (bytes: number): string => (flags["no-trunc"] === true ? String(bytes) : humanSize(bytes, 3))
    const { names, platform } = parseImageNames([first, second], flags.platform)
    const [before = "", after = ""] = names
    const options = { after, times: flags.times === true, platform }
    const rows: Row[] = []
    for await (const difference of await imageDifference(client, before, options)) {
      if (flags.quiet === true) return 1
      rows.push(differenceRow(difference, size))
    }
    if (flags.quiet === true) return 0
    const columns = { headers: HEADERS, shown: ["Change", "Size", "Path", "Details"] }
    await showRows(rows, { columns, format: flags.format ?? "" })
    return 0
  },
})

function differenceRow(difference: FileDifference, size: (bytes: number) => string): Row {
  const { path, kind } = difference
  const shown = kind === "removed" ? difference.before : difference.after
  const details =
    kind === "modified"
      ? difference.aspects.map((aspect) => aspectText(aspect, difference.before, { after: difference.after, size }))
      : []
  return {
    Change: CHANGE_LETTERS[kind],
    Details: details.join(", "),
    Path: pathText(path, shown),
    Size: size(shown.size),
    Type: shown.type,
  }
}

/** "mode -rw-r--r-- -> -rwxr-xr-x" */
function aspectText(
  aspect: Aspect,
  before: FileEntry,
  { after, size }: { readonly after: FileEntry; readonly size: (bytes: number) => string },
): string {
  const change = (of: (entry: FileEntry) => string): string => `${aspect} ${of(before)} -> ${of(after)}`
  switch (aspect) {
    case "type":
      return change(({ type }) => type)
    case "size":
      return change((entry) => size(entry.size))
    case "mode":
      return change(modeText)
    case "owner":
      return change(ownerText)
    case "target":
      return change(({ target = "" }) => shownName(target))
    case "device":
      return change(({ device = "" }) => device)
    case "mtime":
      return change(({ mtime }) => new Date(mtime * 1000).toISOString().replace(".000Z", "Z"))
    case "content":
    case "xattrs":
      return aspect
    default:
      return aspect satisfies never
  }
}
