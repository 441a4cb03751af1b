// The database itself, and the objects whose files are theirs alone: containers and volumes. Nothing of these can be
// fetched again, so a repair does nothing here but say so.
import { existsSync } from "node:fs"
import { join } from "node:path"
import { isVolume } from "../containers/volume-users.ts"
import { type Check, damaged, note } from "./context.ts"

const MOST_COMPLAINTS = 20

export async function checkDatabase(check: Check): Promise<void> {
  const { database } = check
  const lines = database.query<{ integrity_check: string }>(`PRAGMA integrity_check(${MOST_COMPLAINTS})`).all()
  for (const { integrity_check: problem } of lines)
    if (problem !== "ok") await damaged(check, { object: "database dhow.db", problem }, KEEP)
  for (const { table, parent } of database.query<{ table: string; parent: string }>("PRAGMA foreign_key_check").all())
    await damaged(check, { object: `table ${table}`, problem: `a row names none of ${parent}` }, KEEP)
  for (const { reference } of database
    .query<{ reference: string }>(
      `SELECT layer_sources.digest AS reference FROM layer_sources LEFT JOIN blobs ON blobs.digest = diff_id
        WHERE blobs.digest IS NULL`,
    )
    .all())
    note(check, `compressed layer ${reference}`, "the layer that it unpacks to is gone; the next collection forgets it")
}

const KEEP = "Keep a copy of the state root before anything else is done with it"

export async function checkContainers(check: Check): Promise<number> {
  const { containers, root } = check
  for (const { id, name } of containers.unreadable())
    await damaged(
      check,
      { object: `container ${id.slice(0, 12)}`, problem: "its row cannot be read", containers: [name] },
      "It is kept as it is, and its files with it",
    )
  for (const { record } of containers.all())
    if (!existsSync(join(root, "containers", record.id)))
      await damaged(
        check,
        {
          object: `container ${record.id.slice(0, 12)}`,
          problem: "its directory is missing, and with it its log",
          containers: [record.name],
        },
        "Make it again from its image",
      )
  return containers.all().length + containers.unreadable().length
}

export async function checkVolumes(check: Check): Promise<number> {
  const { database, root, containers } = check
  const rows = database
    .query<{ name: string; directory: string; record: string }>(
      "SELECT name, directory, record FROM volumes WHERE anonymous < 2",
    )
    .all()
  for (const { name, directory, record } of rows) {
    const users = containers
      .all()
      .flatMap(({ record: one }) => (one.mounts.some((mount) => isVolume(mount, name)) ? [one.name] : []))
    const found = { object: `volume ${name}`, containers: users }
    if (!existsSync(join(root, "volumes", directory, "_data")))
      await damaged(check, { ...found, problem: "its directory is missing" }, "What was in it is lost: remove it")
    if (!isJsonObject(record))
      await damaged(check, { ...found, problem: "its row cannot be read" }, "It is kept as it is, without labels")
  }
  return rows.length
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null
  } catch {
    return false
  }
}
