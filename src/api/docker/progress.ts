// Answers that report progress as JSON lines. The status is held back until there is something to say, so that what
// fails at once fails with its status; what fails later says so in the stream, as Docker's clients expect.
import type { Progress } from "../../engine/contract.ts"
import { describeError } from "../../lib/errors.ts"
import type { ProgressLine } from "../../wire/image.ts"
import { type BodyWriter, type Reply, streamed } from "../http/reply.ts"

export async function progressReply(run: (progress: Progress) => Promise<void>): Promise<Reply> {
  const begun = Promise.withResolvers<void>()
  const early: ProgressLine[] = []
  let out: BodyWriter | undefined
  const done = run((line) => {
    if (out !== undefined) return writeLine(out, line)
    early.push(line)
    begun.resolve()
  })
  await Promise.race([begun.promise, done])
  // From here on a failure is told by `send`.
  done.catch(() => {})
  return streamed("application/json", async (writer) => {
    for (const line of early) writeLine(writer, line)
    out = writer
    try {
      await done
    } catch (error) {
      const message = describeError(error)
      writeLine(writer, { errorDetail: { message }, error: message })
    }
  })
}

function writeLine(out: BodyWriter, line: ProgressLine): void {
  // A slow reader misses intermediate numbers, never a change of state.
  if (out.backlogged && line.progressDetail?.current !== undefined) return
  out.write(`${JSON.stringify(line)}\r\n`)
}
