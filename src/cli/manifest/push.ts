// dhow manifest push: a list and what it names go to the registry that its name says.
import { inspectManifest, pushManifestList } from "../../client/manifests.ts"
import { defineCommand } from "../command.ts"
import { authsForImages } from "../credentials/credentials.ts"
import { boolean } from "../flags/flags.ts"
import { showProgress } from "../render/progress.ts"

export const push = defineCommand({
  usage: "[OPTIONS] MANIFEST_LIST",
  summary: "Upload a list and its images to a registry",
  flags: {
    insecure: boolean("", "Speak to registries without checking certificates, or in plain HTTP"),
    purge: boolean("p", "Forget the list here once it is pushed"),
  } as const,
  args: [1, 1],
  examples: ["dhow manifest push registry.example.com/app:1"],
  async run({ client }, { insecure, purge }, [list = ""]) {
    const found = await inspectManifest(client, list, { local: true })
    const auths = authsForImages([list, ...(found.Manifests ?? []).map(({ Ref }) => Ref)])
    const lines = await pushManifestList(client, list, { insecure, purge, auths })
    await showProgress(lines, { fd: 1, quiet: false })
    return 0
  },
})
