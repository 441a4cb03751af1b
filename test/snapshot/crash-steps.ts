// One life of a blob, a layer and a snapshot, to be killed somewhere in between: STATE-DIRECTORY ARCHIVE.
import { createReadStream } from "node:fs"
import { join } from "node:path"
import { openContentStore } from "../../src/content/store.ts"
import { openDirectorySnapshotter } from "../../src/snapshot/directory.ts"
import { Database } from "../../src/state/database.ts"

const [state = "", archive = ""] = process.argv.slice(2)
const database = Database.open(join(state, "dhow.db"))
const content = openContentStore(database, join(state, "content"))
const internalCommand = [process.execPath, join(import.meta.dir, "internal.ts")]
const snapshotter = openDirectorySnapshotter(database, join(state, "snapshots"), { internalCommand })

const blob = await content.ingest(createReadStream(archive), {})
await snapshotter.addLayer(blob.digest, content.path(blob.digest))
snapshotter.prepare("one", [blob.digest])
await snapshotter.remove("one")
await snapshotter.removeLayer(blob.digest)
content.remove(blob.digest)
