// One life of a blob, a layer and a snapshot, to be killed somewhere in between.
import { createReadStream, mkdirSync } from "node:fs"
import { archive, content, snapshots, snapshotter } from "./crash-state.ts"

const target = `${snapshots}-target`
mkdirSync(target)
const blob = await content.ingest(createReadStream(archive), {})
await snapshotter.addLayer(blob.digest, content.path(blob.digest))
snapshotter.prepare("one", [blob.digest])
snapshotter.mount("one", target)
snapshotter.unmount(target)
await snapshotter.remove("one")
await snapshotter.removeLayer(blob.digest)
content.remove(blob.digest)
