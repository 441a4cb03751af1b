// dhow push: sends an image to the registry that its name says.
import { pushImage } from "../../client/images.ts"
import { DhowError } from "../../lib/errors.ts"
import { formatReference, parseReference, withDefaultTag } from "../../oci/reference.ts"
import { defineCommand } from "../command.ts"
import { authForImage } from "../credentials/credentials.ts"
import { contentTrust, refuseContentTrust } from "../flags/content-trust.ts"
import { boolean, string } from "../flags/flags.ts"
import { print } from "../output.ts"
import { showProgress } from "../render/progress.ts"
import { parseImageName, platformJson } from "./image-name.ts"
import { allPlatformsFlag, compressionOf, limitRate, limitRateFlag, refuseBoth } from "./transfer-flags.ts"

export const push = defineCommand({
  usage: "[OPTIONS] NAME[:TAG][@@PLATFORM]",
  summary: "Upload an image to a registry",
  flags: {
    "all-platforms": allPlatformsFlag,
    "all-tags": boolean("a", "Push all tags of the repository"),
    compression: string("", "For new layers: gzip, zstd or none (default gzip)"),
    "compression-level": string("", "From 1, fast, to 9 for gzip and 19 for zstd, small", { value: "level" }),
    "disable-content-trust": contentTrust,
    "limit-rate": limitRateFlag,
    platform: string("", "Push this platform alone, where the image has several"),
    quiet: boolean("q", "Only print the image's name"),
    "same-digest": boolean("", "Fail where the registry would know the image by another digest than it came with"),
  } as const,
  args: [1, 1],
  examples: [
    "dhow push localhost:5000/app:1",
    "dhow push --all-tags registry.example.com/team/app",
    "dhow push --compression zstd registry.example.com/team/app:1",
  ],
  async run({ client }, flags, [text = ""]) {
    refuseContentTrust(flags["disable-content-trust"])
    const { name, platform } = parseImageName(text, flags.platform)
    const reference = parseReference(name)
    const allTags = flags["all-tags"] === true
    if (reference.digest !== undefined) throw new DhowError("invalid", "cannot push a digest reference")
    if (allTags && reference.tag !== undefined) throw new DhowError("invalid", "tag can't be used with --all-tags/-a")
    const quiet = flags.quiet === true
    if (!allTags && !quiet && reference.tag === undefined) print("Using default tag: latest")
    const allPlatforms = flags["all-platforms"] === true
    refuseBoth(platform, allPlatforms)
    const lines = await pushImage(client, name, {
      platform: platform === undefined ? undefined : platformJson(platform),
      allPlatforms,
      allTags,
      compression: compressionOf(flags.compression, flags["compression-level"]),
      limitRate: limitRate(flags["limit-rate"]),
      sameDigest: flags["same-digest"] === true,
      auth: authForImage(name),
    })
    await showProgress(lines, { fd: 1, quiet })
    if (quiet) print(formatReference(allTags ? reference : withDefaultTag(reference)))
    return 0
  },
})
