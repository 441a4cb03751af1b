// dhow manifest annotate: says for which platform an entry of a list is.
import { annotateManifest } from "../../client/manifests.ts"
import { defineCommand } from "../command.ts"
import { list, string } from "../flags/flags.ts"

export const annotate = defineCommand({
  usage: "[OPTIONS] MANIFEST_LIST MANIFEST",
  summary: "Change what a list says of the platform of one of its images",
  flags: {
    arch: string("", "Architecture: amd64, arm64, ..."),
    os: string("", "Operating system"),
    "os-features": list("", "Features of the operating system, separated by commas", { value: "strings" }),
    "os-version": string("", "Version of the operating system"),
    variant: string("", "Variant of the architecture: v6, v7, ..."),
  } as const,
  args: [2, 2],
  examples: ["dhow manifest annotate --arch arm --variant v7 team/app:1 team/app:1-armhf"],
  async run({ client }, flags, [name = "", manifest = ""]) {
    const features = flags["os-features"].flatMap((text) => text.split(","))
    await annotateManifest(client, name, {
      Manifest: manifest,
      ...(flags.os ? { Os: flags.os } : {}),
      ...(flags.arch ? { Architecture: flags.arch } : {}),
      ...(flags.variant ? { Variant: flags.variant } : {}),
      ...(flags["os-version"] ? { OsVersion: flags["os-version"] } : {}),
      ...(features.length === 0 ? {} : { OsFeatures: features }),
    })
    return 0
  },
})
