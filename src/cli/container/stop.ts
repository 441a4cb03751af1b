// dhow stop and restart: ask the process to end, kill it when the time is over; restart then starts it again.
import type { Client } from "../../client/client.ts"
import { restartContainer, type StopOptions, stopContainer } from "../../client/containers.ts"
import { DhowError } from "../../lib/errors.ts"
import { type AnyCommand, defineCommand } from "../command.ts"
import { int, string } from "../flags/flags.ts"
import { forEachName } from "../sequence.ts"

type Verb = (client: Client, name: string, options: StopOptions) => Promise<unknown>

function stopping(summary: string, verb: Verb): AnyCommand {
  return defineCommand({
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    summary,
    flags: {
      signal: string("s", "Signal to send to the container"),
      time: int("", "Seconds to wait before killing", { hidden: true }),
      timeout: int("t", "Seconds to wait before killing; -1 waits for ever"),
    } as const,
    args: [1, Number.POSITIVE_INFINITY],
    async run({ client }, flags, names) {
      if (flags.time !== undefined && flags.timeout !== undefined)
        throw new DhowError("invalid", "conflicting options: cannot specify both --timeout and --time")
      const options = { timeout: flags.timeout ?? flags.time, signal: flags.signal }
      return forEachName(names, async (name) => {
        await verb(client, name, options)
        return name
      })
    },
  })
}

export const stop = stopping("Stop one or more running containers", stopContainer)
export const restart = stopping("Restart one or more containers", restartContainer)
