import { join } from "node:path"
import { openDirectorySnapshotter } from "../../src/snapshot/directory.ts"
import { snapshotterContract } from "./contract.ts"

const internalCommand = [process.execPath, join(import.meta.dir, "internal.ts")]

snapshotterContract("directory", (database, directory) =>
  openDirectorySnapshotter(database, directory, { internalCommand }),
)
