// dhow logs: what containers wrote, standard error on standard error. One container's log comes as Docker's API gives it;
// several, a search, and the logs of containers that are gone come by dhow's own.

import type { Client } from "../../client/client.ts"
import { containerLogs, inspectContainer, type LogsQuery } from "../../client/containers.ts"
import { clearLogs } from "../../client/logs.ts"
import { isKind } from "../../lib/errors.ts"
import { parseTimestamp } from "../../lib/timestamp.ts"
import { defineCommand } from "../command.ts"
import { boolean, string } from "../flags/flags.ts"
import { print } from "../output.ts"
import { humanSize } from "../render/human.ts"
import { descriptorWriter } from "../terminal/descriptors.ts"
import { copyFrames } from "../terminal/session.ts"

export const logs = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Fetch the logs of one or more containers",
  flags: {
    clear: boolean("", "Take away what was logged so far"),
    details: boolean("", "Show extra details that came with the logs"),
    follow: boolean("f", "Go on with what comes"),
    grep: string("", "Only lines that this regular expression is found in"),
    since: string("", "Only from this time on (2024-05-01T12:00:00Z, or 42m ago)"),
    tail: string("n", "Number of lines from the end", { default: "all" }),
    timestamps: boolean("t", "Show when each line was written"),
    until: string("", "Only up to this time (2024-05-01T12:00:00Z, or 42m ago)"),
  } as const,
  args: [1, Number.POSITIVE_INFINITY],
  examples: [
    "dhow logs -f --tail 20 web",
    "dhow logs --since 10m web db",
    "dhow logs --grep 'error|fatal' web",
    "dhow logs --clear web",
  ],
  async run({ client }, flags, names) {
    if (flags.clear === true) return await clear(client, names)
    const query: LogsQuery = {
      stdout: true,
      stderr: true,
      follow: flags.follow === true,
      timestamps: flags.timestamps === true,
      details: flags.details === true,
      since: apiTime(flags.since),
      until: apiTime(flags.until),
      tail: flags.tail,
    }
    const [name = ""] = names
    if (names.length === 1 && flags.grep === undefined) {
      try {
        return await showOne(client, name, query)
      } catch (error) {
        if (!isKind(error, "not-found")) throw error
        const { showMerged } = await import("./merged-logs.ts")
        return await showMerged(client, { names, query }).catch((other: unknown) => {
          // An older engine, or Docker's, knows no logs of what is gone.
          throw isKind(other, "not-found") ? error : other
        })
      }
    }
    const { showMerged } = await import("./merged-logs.ts")
    return await showMerged(client, { names, query, ...(flags.grep === undefined ? {} : { grep: flags.grep }) })
  },
})

async function showOne(client: Client, name: string, query: LogsQuery): Promise<number> {
  const answer = await containerLogs(client, name, query)
  const stdout = descriptorWriter(1)
  const type = answer.headers.get("content-type")
  const isMultiplexed =
    type === "application/vnd.docker.multiplexed-stream" || (await inspectContainer(client, name)).Config.Tty !== true
  if (isMultiplexed) {
    const read = async (): Promise<Uint8Array | undefined> => (await answer.body.next()).value ?? undefined
    await copyFrames({ read }, { stdout, stderr: descriptorWriter(2) })
  } else for await (const chunk of answer.body) await stdout(chunk)
  return 0
}

async function clear(client: Client, names: readonly string[]): Promise<number> {
  for (const name of names) {
    const { SpaceReclaimed } = await clearLogs(client, name)
    print(`${name}: ${humanSize(SpaceReclaimed)} cleared`)
  }
  return 0
}

/** Seconds since 1970 with nine digits, as the API takes times. */
export function apiTime(text: string | undefined): string | undefined {
  if (text === undefined || text === "") return undefined
  return /^\d+(?:\.\d+)?$/.test(text) ? text : (parseTimestamp(text) / 1000).toFixed(9)
}
