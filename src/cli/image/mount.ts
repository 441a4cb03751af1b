// dhow image mount, dhow image unmount: images' files at a place in this machine's tree.
import { resolve } from "node:path"
import { listImageMounts, mountImage, unmountImage } from "../../client/image-contents.ts"
import { DhowError } from "../../lib/errors.ts"
import { defineCommand } from "../command.ts"
import { boolean, string } from "../flags/flags.ts"
import { print } from "../output.ts"
import { shortId, timeAgo } from "../render/human.ts"
import { shownName } from "../render/names.ts"
import { showRows } from "../render/rows.ts"
import { forEachName } from "../sequence.ts"
import { parseImageName } from "./image-name.ts"
import { platformFlag } from "./platform-flag.ts"

const HEADERS = {
  ID: "IMAGE ID",
  Names: "NAMES",
  Platform: "PLATFORM",
  CreatedSince: "MOUNTED",
  Target: "TARGET",
} as const

export const mount = defineCommand({
  usage: "[OPTIONS] [IMAGE[@@PLATFORM] [DIRECTORY]]",
  summary: "Mount an image read-only, or list what is mounted",
  flags: {
    format: string("", "Print each with a Go template, or 'table', 'json'"),
    "no-trunc": boolean("", "Do not shorten output"),
    platform: platformFlag,
  } as const,
  args: [0, 2],
  examples: ["dhow image mount web", "dhow image mount debian /mnt/debian", "ls $(dhow image mount web)/etc"],
  async run({ client }, flags, [text, directory]) {
    if (text !== undefined) {
      const { name, platform } = parseImageName(text, flags.platform)
      const target = directory === undefined ? undefined : resolve(directory)
      print((await mountImage(client, name, { target, platform })).Target)
      return 0
    }
    const truncate = flags["no-trunc"] !== true
    const rows = (await listImageMounts(client)).map(({ Id, Names, Platform, Target, Created }) => ({
      CreatedSince: timeAgo(Created),
      ID: truncate ? shortId(Id) : Id,
      Names: Names.length === 0 ? "<none>" : Names.join(","),
      Platform,
      Target: shownName(Target),
    }))
    const shown = ["ID", "Names", "Platform", "CreatedSince", "Target"]
    await showRows(rows, { columns: { headers: HEADERS, shown }, format: flags.format ?? "" })
    return 0
  },
})

export const unmount = defineCommand({
  usage: "[OPTIONS] IMAGE|DIRECTORY [IMAGE|DIRECTORY...]",
  summary: "Take mounts of images away",
  flags: { all: boolean("a", "All mounts of all images") } as const,
  args: [0, Number.POSITIVE_INFINITY],
  examples: ["dhow image unmount web", "dhow image unmount /mnt/debian", "dhow image unmount --all"],
  async run({ client }, flags, names) {
    if (flags.all === true && names.length > 0)
      throw new DhowError("invalid", "Either --all or names of images or directories can be given")
    if (flags.all !== true && names.length === 0)
      throw new DhowError("invalid", "Nothing to unmount", { hint: "Name images or directories, or give --all" })
    const wanted = flags.all === true ? (await listImageMounts(client)).map(({ Target }) => Target) : names
    return await forEachName(wanted, async (name) => {
      const place = /^\.{0,2}\//.test(name) ? resolve(name) : name
      return (await unmountImage(client, place)).join("\n")
    })
  },
})
