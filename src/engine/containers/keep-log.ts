// Keeping a container's log beyond its removal, where its log options or whoever removes it ask for that.
import type { KeptLog } from "../logging/kept.ts"
import { parseKeep } from "../logging/options.ts"
import { detailsOf, isReadable } from "./logs.ts"
import type { ContainerParts } from "./parts.ts"
import { containerPaths } from "./paths.ts"
import type { ContainerRecord } from "./record.ts"

/** Puts the files aside; the function returned records it, in the transaction that removes the container. */
export async function keepLog(
  parts: ContainerParts,
  record: ContainerRecord,
  asked: number | undefined,
): Promise<() => void> {
  const { LogConfig } = record.hostConfig
  const option = LogConfig?.Config?.["keep"]
  const milliseconds = asked ?? (option === undefined ? 0 : parseKeep(option))
  if (milliseconds <= 0 || !isReadable(LogConfig)) return () => {}
  const removedAt = Date.now()
  const log: KeptLog = {
    id: record.id,
    name: record.name,
    image: record.image,
    tty: record.config.Tty ?? false,
    details: Buffer.from(await detailsOf(record)).toString(),
    removedAt,
    keepUntil: removedAt + milliseconds,
  }
  return parts.keptLogs.keep(log, containerPaths(parts.config, record.id).log).record
}
