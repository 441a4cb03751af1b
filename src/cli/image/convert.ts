// dhow image convert: an image with layers compressed in another way, or with other media types.
import { convertImage } from "../../client/image-contents.ts"
import { DhowError } from "../../lib/errors.ts"
import { defineCommand } from "../command.ts"
import { boolean, string } from "../flags/flags.ts"
import { print, printError } from "../output.ts"
import { humanSize } from "../render/human.ts"
import { parseImageName } from "./image-name.ts"
import { platformFlag } from "./platform-flag.ts"
import { compressionOf } from "./transfer-flags.ts"

export const convert = defineCommand({
  usage: "[OPTIONS] IMAGE[@@PLATFORM] NEW_IMAGE[:TAG]",
  summary: "Give an image other compression or media types, under a new name",
  flags: {
    compression: string("", "Of the layers: gzip, zstd or none (default as they are)"),
    "compression-level": string("", "From 1, fast, to 9 for gzip and 19 for zstd, small", { value: "level" }),
    "media-types": string("", "'oci' or 'docker' (default as they are)", { value: "family", check: checkTypes }),
    platform: platformFlag,
    quiet: boolean("q", "Only print the digest"),
  } as const,
  args: [2, 2],
  examples: [
    "dhow image convert --compression zstd web localhost:5000/web:zstd",
    "dhow image convert --media-types docker --compression gzip web web:docker",
  ],
  async run({ client }, flags, [text = "", target = ""]) {
    const { name, platform } = parseImageName(text, flags.platform)
    const converted = await convertImage(client, name, {
      target,
      compression: compressionOf(flags.compression, flags["compression-level"]),
      types: flags["media-types"],
      platform,
    })
    print(converted.Digest)
    if (flags.quiet !== true)
      for (const { Digest, Platform, Size } of converted.Manifests)
        printError(`${Platform}  ${Digest}  ${humanSize(Size)} of layers`)
    return 0
  },
})

function checkTypes(text: string): string {
  if (text === "oci" || text === "docker") return text
  throw new DhowError("invalid", `"${text}" is no family of media types: give "oci" or "docker"`)
}
