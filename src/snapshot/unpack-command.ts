// `dhow internal unpack-layer ARCHIVE DIRECTORY PREFIX`: a process of its own, since it chroots and since the daemon's
// event loop and memory stay free of it. It answers with one line of JSON, then makes everything durable and ends.
import { openSync } from "node:fs"
import { join } from "node:path"
import { errnoName } from "../lib/errors.ts"
import { changeRoot, removeFileAt, setMode, syncFilesystem } from "../lib/syscalls/tree.ts"
import { TarFile } from "../lib/tar/file-reader.ts"
import { markUnsynced, UNSYNCED } from "./durability.ts"
import { answer, answerError, diesWithParent } from "./layer-answer.ts"
import type { WhiteoutPrefix } from "./place.ts"
import { unpackLayer } from "./unpack.ts"

/** Unpacks ARCHIVE into DIRECTORY/fs. Returns the exit status. */
export function unpackCommand(parameters: readonly string[]): number {
  const [archive = "", directory = "", prefix = "trusted.overlay."] = parameters
  let layerDirectory: number
  try {
    diesWithParent(true)
    process.umask(0)
    const file = new TarFile(openSync(archive, "r"))
    layerDirectory = openSync(directory, "r")
    markUnsynced(directory)
    changeRoot(join(directory, "fs"))
    setMode(".", 0o755)
    answer({ layer: unpackLayer(file, prefix as WhiteoutPrefix) })
  } catch (error) {
    return answerError(error)
  }
  // The layer is the parent's from here on, whether the parent lives or not.
  diesWithParent(false)
  syncFilesystem(layerDirectory)
  try {
    removeFileAt(layerDirectory, UNSYNCED)
  } catch (error) {
    // The layer has been removed meanwhile.
    if (errnoName(error) !== "ENOENT") throw error
  }
  return 0
}
