// `dhow internal unpack-layer ARCHIVE DIRECTORY PREFIX`: a process of its own, since it chroots and since the daemon's
// event loop and memory stay free of it. It answers with one line of JSON, then makes everything durable and ends.
import { openSync, writeSync } from "node:fs"
import { constants } from "node:os"
import { join } from "node:path"
import { DhowError, describeError, type ErrorKind, errnoName } from "../lib/errors.ts"
import { check, libc } from "../lib/syscalls/libc.ts"
import { changeRoot, removeFileAt, setMode, syncFilesystem } from "../lib/syscalls/tree.ts"
import { TarFile } from "../lib/tar/file-reader.ts"
import { markUnsynced, UNSYNCED } from "./durability.ts"
import type { WhiteoutPrefix } from "./place.ts"
import { type UnpackedLayer, unpackLayer } from "./unpack.ts"

const PR_SET_PDEATHSIG = 1

export type UnpackAnswer =
  | { readonly layer: UnpackedLayer }
  | { readonly error: { readonly kind: ErrorKind; readonly message: string } }

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
    const kind = error instanceof DhowError ? error.kind : "internal"
    answer({ error: { kind, message: describeError(error) } })
    return 1
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

/** A daemon that is killed leaves no one writing into what its successor sweeps. */
function diesWithParent(dies: boolean): void {
  check(libc().prctl(PR_SET_PDEATHSIG, dies ? BigInt(constants.signals.SIGKILL) : 0n, 0n, 0n, 0n), "prctl")
}

function answer(value: UnpackAnswer): void {
  writeSync(1, `${JSON.stringify(value)}\n`)
}
