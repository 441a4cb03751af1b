// Where distributions are built: directories of their own, of which a build that was killed leaves one.
import { mkdirSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { removeTree } from "../../../lib/files.ts"

export const BUILD_PREFIX = "distro-"

export function buildsIn(root: string): string {
  const parent = join(root, "tmp")
  mkdirSync(parent, { recursive: true, mode: 0o711 })
  return parent
}

/** Removes what a build that was killed has left. */
export async function sweepBuilds(root: string): Promise<void> {
  const parent = buildsIn(root)
  for (const name of readdirSync(parent)) if (name.startsWith(BUILD_PREFIX)) await removeTree(join(parent, name))
}
