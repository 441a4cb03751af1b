// dhow image inspect: everything the daemon knows of images; of one that has several platforms, one of them or all.
import type { Client } from "../../client/client.ts"
import { inspectImage, inspectImageText } from "../../client/images.ts"
import { DhowError } from "../../lib/errors.ts"
import { defineCommand } from "../command.ts"
import { boolean, string } from "../flags/flags.ts"
import { showObjects } from "../render/inspect.ts"
import { parseImageName, platformJson } from "./image-name.ts"

export const imageInspect = defineCommand({
  usage: "[OPTIONS] IMAGE[@@PLATFORM] [IMAGE...]",
  summary: "Show details of one or more images",
  flags: {
    "all-platforms": boolean("", "Show all platforms that are here, each as an image"),
    format: string("f", "Print each with a Go template, or 'json'"),
    platform: string("", "Platform to show, where the image has several"),
  } as const,
  args: [1, Number.POSITIVE_INFINITY],
  examples: ["dhow image inspect debian:12@@linux/arm64", "dhow image inspect --all-platforms -f '{{.Size}}' debian"],
  async run({ client }, flags, texts) {
    const isAll = flags["all-platforms"] === true
    if (isAll && flags.platform !== undefined)
      throw new DhowError("invalid", "conflicting options: --all-platforms and --platform")
    const named = texts.map((text) => parseImageName(text, flags.platform))
    const images = isAll ? (await Promise.all(named.map((one) => platformsOf(client, one)))).flat() : named
    // Shown by their place: two may have one name.
    const places = images.map((_, place) => String(place))
    return showObjects(places, flags.format, (place) => {
      const { name, platform } = images[Number(place)]!
      return inspectImageText(client, name, platform === undefined ? undefined : platformJson(platform))
    })
  },
})

type Wanted = { readonly name: string; readonly platform: string | undefined }

async function platformsOf(client: Client, wanted: Wanted): Promise<readonly Wanted[]> {
  if (wanted.platform !== undefined) return [wanted]
  try {
    const { Manifests = [] } = await inspectImage(client, wanted.name, { manifests: true })
    const here = Manifests.filter(({ Available, Kind }) => Available && Kind === "image")
    return here.flatMap(({ ImageData }) => {
      if (ImageData === undefined) return []
      const { os, architecture, variant } = ImageData.Platform
      return { name: wanted.name, platform: [os, architecture, ...(variant ? [variant] : [])].join("/") }
    })
  } catch {
    // What is wrong with it is said in its turn, after what was found.
    return [wanted]
  }
}
