// After a crash: every row has its files, one sweep removes the rest, a second one finds nothing, and the same life can
// be lived to its end. Prints what the sweeps found.
import { createReadStream, readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { archive, content, snapshots, snapshotter } from "./crash-state.ts"

for (const { digest, size } of content.list()) {
  if (statSync(content.path(digest)).size !== size) throw new Error(`Blob ${digest} is not whole`)
}
const swept = content.sweep().length + snapshotter.sweep().length
const trash = join(snapshots, ".trash")
while (readdirSync(trash).length > 0) await Bun.sleep(2)
const again = content.sweep().length + snapshotter.sweep().length

const blob = await content.ingest(createReadStream(archive), {})
await snapshotter.addLayer(blob.digest, content.path(blob.digest))
if (!readdirSync(snapshots).includes("one")) snapshotter.prepare("one", [blob.digest])
if (snapshotter.paths("one").lower.length !== 1) throw new Error("The snapshot has lost its layer")
await snapshotter.remove("one")
await snapshotter.removeLayer(blob.digest)
content.remove(blob.digest)
console.log(JSON.stringify({ swept, again }))
