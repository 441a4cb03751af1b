// What a container changed of its image, and its whole file system as one archive. Neither asks whether it runs.
import { DhowError } from "../../lib/errors.ts"
import type { FilesystemChange } from "../../wire/container.ts"
import { attributesOf } from "./attributes.ts"
import type { ContainerParts } from "./parts.ts"
import type { ContainerRecord, ContainerState } from "./record.ts"

const KINDS = { modified: 0, added: 1, deleted: 2 } as const

export async function containerChanges(parts: ContainerParts, reference: string): Promise<FilesystemChange[]> {
  const { record } = parts.store.resolve(reference)
  const changes: FilesystemChange[] = []
  using _files = parts.readers.hold(record.id)
  try {
    for await (const { path, kind } of parts.uppers.changes(written(record)))
      changes.push({ Path: `/${path}`, Kind: KINDS[kind] })
  } catch (error) {
    // Somebody removed it under our eyes.
    parts.store.get(record.id)
    throw error
  }
  return changes
}

/** The archive's bytes; begun with the first one that is asked for. */
export async function exportContainer(
  parts: ContainerParts,
  reference: string,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const { record, state } = parts.store.resolve(reference)
  refuseVanishing(record, state, "export")
  async function* archive(): AsyncGenerator<Uint8Array> {
    // Somebody may have removed it between the answer's head and its first byte.
    parts.store.get(record.id)
    using _files = parts.readers.hold(record.id)
    yield* parts.uppers.tree(written(record), signal)
    parts.events.emit("container", "export", record.id, attributesOf(record))
  }
  return archive()
}

export function written({ id, layers }: ContainerRecord) {
  return { key: id, layers }
}

/** In Docker's words. */
export function refuseVanishing({ id }: ContainerRecord, { status }: ContainerState, verb: "commit" | "export"): void {
  if (status === "dead") throw new DhowError("conflict", `You cannot ${verb} container ${id} which is Dead`)
  if (status === "removing")
    throw new DhowError("conflict", `You cannot ${verb} container ${id} which is being removed`)
}
