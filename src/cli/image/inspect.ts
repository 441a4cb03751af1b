// dhow image inspect: everything the daemon knows of images.
import { inspectImageText } from "../../client/images.ts"
import { parsePlatform } from "../../oci/platform.ts"
import { defineCommand } from "../command.ts"
import { string } from "../flags/flags.ts"
import { showObjects } from "../render/inspect.ts"

export const imageInspect = defineCommand({
  usage: "[OPTIONS] IMAGE [IMAGE...]",
  summary: "Show details of one or more images",
  flags: {
    format: string("f", "Print each with a Go template, or 'json'"),
    platform: string("", "Platform to show, where the image has several"),
  } as const,
  args: [1, Number.POSITIVE_INFINITY],
  run({ client }, flags, names) {
    // The API takes the platform as JSON here, not in the words of the command line.
    const platform = flags.platform === undefined ? undefined : JSON.stringify(parsePlatform(flags.platform))
    return showObjects(names, flags.format, (name) => inspectImageText(client, name, platform))
  },
})
