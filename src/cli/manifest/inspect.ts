// dhow manifest inspect: a manifest or a list of them, of this machine or of a registry, as docker's client prints it.
import { inspectManifest } from "../../client/manifests.ts"
import { MEDIA_TYPE } from "../../oci/manifest.ts"
import type { ManifestInspect } from "../../wire/manifest.ts"
import { defineCommand } from "../command.ts"
import { authsForImages } from "../credentials/credentials.ts"
import { boolean } from "../flags/flags.ts"
import { print } from "../output.ts"

export const inspect = defineCommand({
  usage: "[OPTIONS] [MANIFEST_LIST] MANIFEST",
  summary: "Show an image's manifest, or a list of them, without fetching the image",
  flags: {
    insecure: boolean("", "Speak to registries without checking certificates, or in plain HTTP"),
    verbose: boolean("v", "Show digests, platforms and layers of each manifest"),
  } as const,
  args: [1, 2],
  examples: ["dhow manifest inspect debian", "dhow manifest inspect -v localhost:5000/app:1"],
  async run({ client }, flags, args) {
    const [list, name] = args.length === 1 ? [undefined, args[0]!] : [args[0], args[1]!]
    const verbose = flags.verbose === true
    const auths = authsForImages([name])
    const found = await inspectManifest(client, name, { list, verbose, insecure: flags.insecure, auths })
    if (!verbose) print(indented(found))
    else print(JSON.stringify(found.Manifests?.map(detailed) ?? detailed(found), undefined, "\t"))
    return 0
  },
})

/** Lists with three spaces, manifests with tabs: docker's client does so. */
function indented(found: ManifestInspect): string {
  const value = documentOf(found) as { manifests?: unknown }
  return JSON.stringify(value, undefined, value.manifests === undefined ? "\t" : 3)
}

function detailed(one: ManifestInspect): object {
  const key = one.Descriptor.mediaType === MEDIA_TYPE.dockerManifest ? "SchemaV2Manifest" : "OCIManifest"
  return { Ref: one.Ref, Descriptor: one.Descriptor, Raw: one.Raw, [key]: documentOf(one) }
}

function documentOf({ Raw }: ManifestInspect): unknown {
  return JSON.parse(Buffer.from(Raw, "base64").toString("utf8"))
}
