// dhow manifest create: a list of images, one for each platform, under one name.
import { createManifestList } from "../../client/manifests.ts"
import { defineCommand } from "../command.ts"
import { authsForImages } from "../credentials/credentials.ts"
import { boolean } from "../flags/flags.ts"
import { print } from "../output.ts"

export const create = defineCommand({
  usage: "MANIFEST_LIST MANIFEST [MANIFEST...]",
  summary: "Make a list of images for several platforms, from here or from registries",
  flags: {
    amend: boolean("a", "Add to a list that exists already"),
    insecure: boolean("", "Speak to registries without checking certificates, or in plain HTTP"),
  } as const,
  args: [2, Number.POSITIVE_INFINITY],
  examples: ["dhow manifest create team/app:1 team/app:1-amd64 team/app:1-arm64"],
  async run({ client }, { amend, insecure }, [list = "", ...manifests]) {
    const auths = authsForImages(manifests)
    const created = await createManifestList(client, list, { manifests, amend, insecure, auths })
    print(`Created manifest list ${created.Reference}`)
    return 0
  },
})
