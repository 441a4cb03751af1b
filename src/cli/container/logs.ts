// dhow logs: what a container wrote, standard error on standard error.
import { containerLogs, inspectContainer } from "../../client/containers.ts"
import { parseTimestamp } from "../../lib/timestamp.ts"
import { defineCommand } from "../command.ts"
import { boolean, string } from "../flags/flags.ts"
import { descriptorWriter } from "../terminal/descriptors.ts"
import { copyFrames } from "../terminal/session.ts"

export const logs = defineCommand({
  usage: "[OPTIONS] CONTAINER",
  summary: "Fetch the logs of a container",
  flags: {
    details: boolean("", "Show extra details that came with the logs"),
    follow: boolean("f", "Go on with what comes"),
    since: string("", "Only from this time on (2024-05-01T12:00:00Z, or 42m ago)"),
    tail: string("n", "Number of lines from the end", { default: "all" }),
    timestamps: boolean("t", "Show when each line was written"),
    until: string("", "Only up to this time (2024-05-01T12:00:00Z, or 42m ago)"),
  } as const,
  args: [1, 1],
  examples: ["dhow logs -f --tail 20 web", "dhow logs --since 10m web"],
  async run({ client }, flags, [name = ""]) {
    const answer = await containerLogs(client, name, {
      stdout: true,
      stderr: true,
      follow: flags.follow === true,
      timestamps: flags.timestamps === true,
      since: apiTime(flags.since),
      until: apiTime(flags.until),
      tail: flags.tail,
    })
    const stdout = descriptorWriter(1)
    const type = answer.headers.get("content-type")
    const isMultiplexed =
      type === "application/vnd.docker.multiplexed-stream" || (await inspectContainer(client, name)).Config.Tty !== true
    if (isMultiplexed) {
      const read = async (): Promise<Uint8Array | undefined> => (await answer.body.next()).value ?? undefined
      await copyFrames({ read }, { stdout, stderr: descriptorWriter(2) })
    } else for await (const chunk of answer.body) await stdout(chunk)
    return 0
  },
})

/** Seconds since 1970 with nine digits, as the API takes times. */
export function apiTime(text: string | undefined): string | undefined {
  if (text === undefined || text === "") return undefined
  return /^\d+(?:\.\d+)?$/.test(text) ? text : (parseTimestamp(text) / 1000).toFixed(9)
}
