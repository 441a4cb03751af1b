// POST /dhow/fsck: a JSON line for what is read and what is found, as it happens; the last one counts.
import type { Engine } from "../../engine/contract.ts"
import { DhowError, describeError } from "../../lib/errors.ts"
import type { FsckLine } from "../../wire/fsck.ts"
import type { Call } from "../docker/call.ts"
import { type BodyWriter, type Reply, streamed } from "../http/reply.ts"

/** Held back until the first line, so that what is refused is refused with its status. */
export async function fsck(system: Engine["system"], { query, request }: Call): Promise<Reply> {
  const rate = query.integer("rate")
  if (rate !== undefined && rate < 1) throw new DhowError("invalid", `invalid rate "${rate}": expected bytes a second`)
  const early: FsckLine[] = []
  const begun = Promise.withResolvers<void>()
  let out: BodyWriter | undefined
  const say = (line: FsckLine): void => {
    if (out === undefined) early.push(line)
    // A slow reader misses how far it is, never what was found.
    else if (line.kind !== "progress" || !out.backlogged) out.write(`${JSON.stringify(line)}\n`)
    begun.resolve()
  }
  const options = { repair: query.bool("repair"), signal: request.signal, ...(rate === undefined ? {} : { rate }) }
  const done = system.fsck(options, say)
  await Promise.race([begun.promise, done])
  // From here on a failure is told by `send`.
  done.catch(() => {})
  return streamed("application/json", async (writer) => {
    for (const line of early) writer.write(`${JSON.stringify(line)}\n`)
    out = writer
    try {
      await done
    } catch (error) {
      writer.write(`${JSON.stringify({ error: describeError(error) })}\n`)
    }
  })
}
