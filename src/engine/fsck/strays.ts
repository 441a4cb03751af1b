// What lies in the state root without a row. The next start of the daemon sweeps most of it; here it is only named.
import { existsSync, readdirSync } from "node:fs"
import { join, relative } from "node:path"
import { type Check, note } from "./context.ts"

/** Long enough for whoever is between a file and its row. */
const SETTLE_MS = 200

export async function checkStrays(check: Check): Promise<void> {
  const first = strayPaths(check)
  if (first.length === 0) return
  await Bun.sleep(SETTLE_MS)
  const second = new Set(strayPaths(check))
  for (const path of first)
    if (second.has(path))
      note(check, relative(check.root, path), "no row names it; the next start of the daemon looks after it")
}

function strayPaths({ root, content, snapshotter, containers, database }: Check): readonly string[] {
  const known = new Set([
    ...containers.all().map(({ record }) => record.id),
    ...containers.unreadable().map(({ id }) => id),
  ])
  const volumes = new Set(
    database
      .query<{ directory: string }>("SELECT directory FROM volumes")
      .all()
      .map(({ directory }) => directory),
  )
  return [
    ...content.strays(),
    ...snapshotter.strays(),
    ...without(join(root, "containers"), known),
    ...without(join(root, "volumes"), volumes),
  ]
}

function without(directory: string, known: ReadonlySet<string>): readonly string[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory).flatMap((name) => (known.has(name) ? [] : [join(directory, name)]))
}
