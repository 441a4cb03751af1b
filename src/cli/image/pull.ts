// dhow pull: fetches an image, or builds one of distro.local's.
import { pullImage } from "../../client/images.ts"
import { DhowError } from "../../lib/errors.ts"
import { formatReference, parseReference, withDefaultTag } from "../../oci/reference.ts"
import { defineCommand } from "../command.ts"
import { authForImage } from "../credentials/credentials.ts"
import { contentTrust, refuseContentTrust } from "../flags/content-trust.ts"
import { boolean, string } from "../flags/flags.ts"
import { print } from "../output.ts"
import { showProgress } from "../render/progress.ts"
import { defaultPlatform, parseImageName, platformCompat } from "./image-name.ts"
import { allPlatformsFlag, limitRate, limitRateFlag, refuseBoth } from "./transfer-flags.ts"

export const pull = defineCommand({
  usage: "[OPTIONS] NAME[:TAG|@DIGEST][@@PLATFORM]",
  summary: "Download an image from a registry, or build one of distro.local",
  flags: {
    "all-platforms": allPlatformsFlag,
    "all-tags": boolean("a", "Download all tagged images of the repository"),
    "disable-content-trust": contentTrust,
    "limit-rate": limitRateFlag,
    platform: string("", "Platform to pull, where the image has several"),
    "platform-compat": platformCompat,
    quiet: boolean("q", "Only print the image's name"),
  } as const,
  args: [1, 1],
  examples: [
    "dhow pull distro.local/debian:bookworm",
    "dhow pull registry.example.com/app@@linux/arm64",
    "dhow pull --all-platforms --limit-rate 2m registry.example.com/app",
  ],
  async run({ client }, flags, [text = ""]) {
    refuseContentTrust(flags["disable-content-trust"])
    const { name, platform } = parseImageName(text, flags.platform)
    const reference = parseReference(name)
    const allTags = flags["all-tags"] === true
    if (allTags && (reference.tag !== undefined || reference.digest !== undefined))
      throw new DhowError("invalid", "tag can't be used with --all-tags/-a")
    const quiet = flags.quiet === true
    if (!allTags && !quiet && reference.tag === undefined && reference.digest === undefined)
      print("Using default tag: latest")
    const allPlatforms = flags["all-platforms"] === true
    refuseBoth(platform, allPlatforms)
    const lines = await pullImage(client, name, {
      platform: allPlatforms ? undefined : (platform ?? defaultPlatform()),
      compatible: flags["platform-compat"] === true,
      allPlatforms,
      allTags,
      limitRate: limitRate(flags["limit-rate"]),
      auth: authForImage(name),
    })
    await showProgress(lines, { fd: 1, quiet })
    print(formatReference(allTags ? reference : withDefaultTag(reference)))
    return 0
  },
})
