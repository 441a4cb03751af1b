// run --usage: what the run used, as JSON, to a file or to standard error. Also of a container that --rm has removed.
import { writeFileSync } from "node:fs"
import type { Client } from "../../client/client.ts"
import { containerExits } from "../../client/exits.ts"
import { DhowError } from "../../lib/errors.ts"
import { printError } from "../output.ts"

/** `place` is a path, or "-" for standard error. */
export async function writeUsage(client: Client, id: string, place: string): Promise<void> {
  const [last] = await containerExits(client, id)
  const usage = last?.Usage
  if (last === undefined || usage === undefined) return
  const { ExitCode, OOMKilled, StartedAt, FinishedAt } = last
  const text = JSON.stringify({ ID: id, StartedAt, FinishedAt, ExitCode, OOMKilled, Usage: usage })
  if (place === "-") {
    printError(text)
    return
  }
  try {
    writeFileSync(place, `${text}\n`)
  } catch (cause) {
    throw new DhowError("invalid", `Cannot write what the container used to "${place}"`, { cause, exitCode: 125 })
  }
}
