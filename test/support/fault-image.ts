// Images of one layer and the host's platform, put straight into a registry in memory.
import { gzipSync } from "node:zlib"
import { type Digest, digestOf } from "../../src/oci/digest.ts"
import { type Descriptor, MEDIA_TYPE } from "../../src/oci/manifest.ts"
import { hostPlatform } from "../../src/oci/platform.ts"
import { file, tarOf } from "../images/fixture.ts"
import type { FaultRegistry } from "./fault-registry.ts"

export type FaultImage = { readonly manifest: Descriptor; readonly layer: Digest; readonly size: number }

export async function addFaultImage(registry: FaultRegistry, bytes: Uint8Array, tag = "1"): Promise<FaultImage> {
  const tar = await tarOf([file("bytes", bytes)])
  const layer = gzipSync(tar, { level: 1 })
  const { os, architecture } = hostPlatform()
  const config = Buffer.from(
    JSON.stringify({ os, architecture, rootfs: { type: "layers", diff_ids: [digestOf(tar)] }, config: {} }),
  )
  const manifest = registry.addManifest(
    {
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.ociManifest,
      config: { mediaType: MEDIA_TYPE.ociConfig, digest: registry.addBlob(config), size: config.length },
      layers: [{ mediaType: MEDIA_TYPE.ociLayerGzip, digest: registry.addBlob(layer), size: layer.length }],
    },
    tag,
  )
  return { manifest, layer: digestOf(layer), size: layer.length }
}
