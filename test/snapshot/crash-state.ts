// The parts of a state that the crash tests kill and look at afterwards: STATE-DIRECTORY ARCHIVE DRIVER.
import { join } from "node:path"
import { openContentStore } from "../../src/content/store.ts"
import { openSnapshotter, type StorageDriver } from "../../src/snapshot/open.ts"
import { Database } from "../../src/state/database.ts"

const [state = "", archive = "", driver = ""] = process.argv.slice(2)

export { archive }
export const snapshots = join(state, "snapshots")

const database = Database.open(join(state, "dhow.db"))
export const content = openContentStore(database, join(state, "content"))
export const snapshotter = openSnapshotter(database, {
  driver: driver as StorageDriver,
  directory: snapshots,
  mounts: join(state, "layers"),
  internalCommand: [process.execPath, join(import.meta.dir, "internal.ts")],
})
