// Podman with its state in a directory of the test. It refuses a run root of more than 50 characters, so that lies in /run.
import { mkdtempSync, rmSync } from "node:fs"
import { join } from "node:path"
import { mountsBelow } from "./kernel-objects.ts"

export type Podman = Disposable & {
  /** The program with its flags, to be followed by a command. */
  readonly command: readonly string[]
}

export function openPodman(directory: string): Podman {
  const runroot = mkdtempSync("/run/dhow-podman-")
  const root = join(directory, "podman")
  const state = ["--root", join(root, "root"), "--runroot", runroot, "--tmpdir", join(root, "tmp")]
  return {
    command: ["podman", ...state, "--storage-driver", "vfs", "--events-backend", "none", "--log-level", "error"],
    [Symbol.dispose]() {
      for (const path of [...mountsBelow(root), ...mountsBelow(runroot)].reverse())
        Bun.spawnSync(["umount", "-l", path])
      rmSync(runroot, { recursive: true, force: true })
    },
  }
}
