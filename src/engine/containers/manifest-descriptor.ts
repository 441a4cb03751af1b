// Which manifest a container was made from, and whether its processor is another than this host's.
import { runsNatively } from "../../oci/platform.ts"
import type { ManifestDescriptor } from "../../wire/image.ts"
import type { ContainerParts } from "./parts.ts"
import type { ContainerRecord } from "./record.ts"

export function manifestDescriptor(parts: ContainerParts, { manifest, platform }: ContainerRecord): ManifestDescriptor {
  const { os, architecture, variant } = platform
  return {
    ...manifest,
    // The manifest may be gone with its image: then what was noted when the container was made is all that is known.
    ...parts.describeManifest(manifest.digest),
    platform: { architecture, os, ...(variant === undefined || variant === "" ? {} : { variant }) },
  }
}

/** dhow's own field, only where it is true. */
export function emulatedMark({ host }: ContainerParts, { platform }: ContainerRecord): { readonly Emulated?: true } {
  return runsNatively(platform.architecture, host.architecture) ? {} : { Emulated: true }
}
