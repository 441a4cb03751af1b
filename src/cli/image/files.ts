// dhow image files: what each layer of an image added, changed and removed, and the bytes that are stored in vain.
import { imageFiles } from "../../client/image-contents.ts"
import { DhowError } from "../../lib/errors.ts"
import type { FilesLine, LayerFile } from "../../wire/image-contents.ts"
import { defineCommand } from "../command.ts"
import { boolean, int, string } from "../flags/flags.ts"
import { print, writeAll } from "../output.ts"
import { CHANGE_LETTERS, modeText, ownerText, pathText } from "../render/file-entry.ts"
import { ellipsis, humanSize } from "../render/human.ts"
import { shownName } from "../render/names.ts"
import { type Row, showRows } from "../render/rows.ts"
import { formatTable } from "../render/table.ts"
import { parseImageName } from "./image-name.ts"
import { platformFlag } from "./platform-flag.ts"

const HEADERS = {
  Size: "SIZE",
  Wasted: "WASTED",
  Change: "CHANGE",
  Layer: "LAYER",
  Mode: "MODE",
  Owner: "OWNER",
  Path: "PATH",
} as const
const LAYER_HEADINGS = ["LAYER", "SIZE", "WASTED", "ADDED", "CHANGED", "REMOVED", "CREATED BY"]

type Layer = Extract<FilesLine, { readonly layer: unknown }>["layer"]

export const files = defineCommand({
  usage: "[OPTIONS] IMAGE[@@PLATFORM] [PATH]",
  summary: "Show what each layer of an image added, changed and removed",
  flags: {
    format: string("", "Print each with a Go template, or 'table', 'json'"),
    layer: int("", "Only this layer; 1 is the lowest"),
    "no-trunc": boolean("", "Do not shorten output, and print sizes in bytes"),
    platform: platformFlag,
    sort: string("", "Order of the files: 'size' or 'path'", { default: "size", check: checkSort }),
    wasted: boolean("", "Only changes that made bytes of an earlier layer useless"),
  } as const,
  args: [1, 2],
  examples: ["dhow image files web | head", "dhow image files --wasted web", "dhow image files --layer 2 web /etc"],
  async run({ client }, flags, [text = "", path]) {
    const { name, platform } = parseImageName(text, flags.platform)
    const found = await imageFiles(client, name, {
      sort: flags.sort === "path" ? "path" : "size",
      wasted: flags.wasted === true,
      ...(path === undefined ? {} : { path }),
      ...(flags.layer === undefined ? {} : { layer: flags.layer }),
      platform,
    })
    const size = (bytes: number): string => (flags["no-trunc"] === true ? String(bytes) : humanSize(bytes, 3))
    const layers: Layer[] = []
    const rows: Row[] = []
    for await (const line of found) {
      if ("layer" in line) layers.push(line.layer)
      else rows.push(fileRow(line.file, size))
    }
    refuseNothing(rows, layers, { name, path, layer: flags.layer, isFiltered: flags.wasted === true })
    const format = flags.format ?? ""
    const shown = ["Size", ...(flags.wasted === true ? ["Wasted"] : []), "Change", "Layer", "Mode", "Owner", "Path"]
    await showRows(rows, { columns: { headers: HEADERS, shown }, format })
    if (format === "" || format === "table") showLayers(layers, { size, truncate: flags["no-trunc"] !== true })
    return 0
  },
})

/** What is asked for by name and is not there is a mistake, not an empty answer. */
function refuseNothing(
  rows: readonly Row[],
  { length }: readonly Layer[],
  asked: {
    readonly name: string
    readonly path: string | undefined
    readonly layer: number | undefined
    readonly isFiltered: boolean
  },
): void {
  const { name, path, layer, isFiltered } = asked
  if (layer !== undefined && (layer < 1 || layer > length))
    throw new DhowError("not-found", `There is no layer ${layer} in image "${name}": it has ${length}`)
  if (path !== undefined && rows.length === 0 && !isFiltered && layer === undefined)
    throw new DhowError("not-found", `No layer of image "${name}" has "${path}"`)
}

function checkSort(text: string): string {
  if (text === "size" || text === "path") return text
  throw new DhowError("invalid", `"${text}" is no order: give "size" or "path"`)
}

function fileRow(file: LayerFile, size: (bytes: number) => string): Row {
  return {
    Change: CHANGE_LETTERS[file.change],
    Layer: file.layer,
    Mode: modeText(file),
    Owner: ownerText(file),
    Path: pathText(file.path, file),
    Size: size(file.size),
    Type: file.type,
    Wasted: size(file.wasted),
  }
}

function showLayers(
  layers: readonly Layer[],
  { size, truncate }: { readonly size: (bytes: number) => string; readonly truncate: boolean },
): void {
  print("")
  const rows = layers.map((layer) => {
    const made = shownName(layer.createdBy.replaceAll("\t", " "))
    const counts = [layer.added, layer.modified, layer.removed].map(String)
    return [String(layer.layer), size(layer.size), size(layer.wasted), ...counts, truncate ? ellipsis(made, 60) : made]
  })
  writeAll(1, formatTable([LAYER_HEADINGS, ...rows], 5))
  const total = (field: "size" | "wasted"): number => layers.reduce((sum, layer) => sum + layer[field], 0)
  const share = total("size") === 0 ? 0 : (100 * total("wasted")) / total("size")
  print(
    `\n${size(total("size"))} in ${layers.length} layers, ${size(total("wasted"))} of it wasted (${share.toFixed(1)} %)`,
  )
}
