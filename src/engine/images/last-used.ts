// When images were last used. A start is too short to wait for a row: uses gather in memory and are written together, so
// that a crash forgets those of the last seconds and nothing else.
import { describeError } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"
import type { Digest } from "../../oci/digest.ts"
import type { ImageRecords, ImageRow } from "./records.ts"

const WRITE_AFTER_MS = 2000

export type LastUsed = {
  /** A container of the image was made, started, ended or removed. */
  touch(id: Digest): void
  /** Milliseconds since 1970: the last use, or else when the image came. */
  of(row: Pick<ImageRow, "id" | "last_used" | "pulled_at">): number
  /** Writes what waits. */
  flush(): void
}

export function lastUsed(records: Pick<ImageRecords, "transaction" | "touch">): LastUsed {
  let waiting = new Map<Digest, number>()
  let timer: NodeJS.Timeout | undefined

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    if (waiting.size === 0) return
    const batch = waiting
    waiting = new Map()
    try {
      records.transaction(() => {
        for (const [id, at] of batch) records.touch(id, at)
      })
    } catch (error) {
      // A full disk, as a rule: the uses stay here and go with the next batch.
      log.warn("The last uses of images cannot be written", { error: describeError(error) })
      for (const [id, at] of batch) if (!waiting.has(id)) waiting.set(id, at)
    }
  }

  return {
    touch(id) {
      waiting.set(id, Date.now())
      timer ??= setTimeout(flush, WRITE_AFTER_MS).unref()
    },
    of: ({ id, last_used, pulled_at }) => Math.max(waiting.get(id) ?? 0, last_used ?? 0, pulled_at),
    flush,
  }
}
