// Secrets and configs that are no files of the host: written into a container before it starts.
import { statSync } from "node:fs"
import { putContainerArchive } from "../../client/containers.ts"
import { filesOf } from "../../compose/container-mounts.ts"
import type { Service } from "../../compose/model.ts"
import { DhowError } from "../../lib/errors.ts"
import { type TarInput, writeTar } from "../../lib/tar/writer.ts"
import type { Session } from "./session.ts"

export async function injectFiles(
  { client, project, progress }: Session,
  service: Service,
  container: string,
): Promise<void> {
  const entries: TarInput[] = []
  for (const { target, from, mount, kind } of filesOf(project, service)) {
    if (from.file !== undefined) {
      if (mount.uid !== undefined || mount.gid !== undefined || mount.mode !== undefined)
        progress.warn(`${kind} "${mount.source}": uid, gid and mode have no effect on a file of the host`)
      if (kind === "secret" && statSync(from.file, { throwIfNoEntry: false }) === undefined)
        throw new DhowError("not-found", `secret file ${from.file} does not exist`)
      continue
    }
    const content =
      from.content ?? (from.environment === undefined ? undefined : project.environment.get(from.environment))
    if (content === undefined)
      throw new DhowError(
        "invalid",
        `environment variable ${JSON.stringify(from.environment ?? "")} required by ${kind} ${JSON.stringify(from.name)} is not set`,
      )
    const bytes = Buffer.from(content)
    entries.push({
      path: target.replace(/^\/+/, ""),
      type: "file",
      mode: Number.parseInt(mount.mode ?? "0444", 8),
      uid: Number(mount.uid ?? 0),
      gid: Number(mount.gid ?? 0),
      mtime: Math.floor(Date.now() / 1000),
      size: bytes.length,
      content: bytes,
    } as TarInput)
  }
  if (entries.length === 0) return
  await putContainerArchive(client, container, "/", { archive: writeTar(entries), chown: false })
}
