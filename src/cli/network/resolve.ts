// dhow network resolve: what a name is answered with in a container, where the answer is from, and why there is none.
import { nameFailures, resolveName } from "../../client/names.ts"
import type { Resolution } from "../../wire/resolve.ts"
import { defineCommand } from "../command.ts"
import { boolean } from "../flags/flags.ts"
import { UsageError } from "../flags/parse.ts"
import { print, writeAll } from "../output.ts"
import { formatTable } from "../render/table.ts"

export const resolve = defineCommand({
  usage: "[OPTIONS] [CONTAINER] NAME",
  summary: "Show what a name is answered with in a container, and why not",
  flags: {
    failures: boolean("", "Show the last answers that failed, of all containers"),
    json: boolean("", "Print everything that is known as JSON"),
  } as const,
  args: [0, 2],
  examples: ["dhow network resolve web db", "dhow network resolve db", "dhow network resolve --failures"],
  async run({ client }, flags, words) {
    if (flags.failures === true) {
      if (words.length > 0) throw new UsageError("--failures takes no name")
      const failures = await nameFailures(client)
      if (flags.json === true) print(JSON.stringify(failures, null, 2))
      else {
        const rows = failures.map(({ Time, Container, Name, Type, Status, Why }) => [
          Time,
          Container,
          Name,
          Type,
          Status,
          Why,
        ])
        writeAll(1, formatTable([["TIME", "CONTAINER", "NAME", "TYPE", "STATUS", "WHY"], ...rows]))
      }
      return 0
    }
    const name = words.at(-1)
    if (name === undefined) throw new UsageError("a name is needed")
    const resolutions = await resolveName(client, words.length === 2 ? (words[0] ?? "") : "", name)
    if (flags.json === true) print(JSON.stringify(resolutions, null, 2))
    else writeAll(1, resolutions.map(text).join("\n"))
    return resolutions.some(({ Records }) => Records.length > 0) ? 0 : 1
  },
})

function text(resolution: Resolution): string {
  const { Name, Records, Why, Status } = resolution
  const lines = Records.map(({ Type, Value, TTL }) => `${Name}  ${Type}  ${Value}  (${TTL} s)`)
  const from = source(resolution)
  if (from !== "") lines.push(`  ${from}`)
  if (Why !== "")
    lines.push(`${Records.length === 0 ? `${Name}: no address${Status === "" ? "" : ` (${Status})`}` : ""}`, `  ${Why}`)
  return `${lines.filter((line) => line !== "").join("\n")}\n`
}

function source({ Source, Network, Holders, Server, Cached, Milliseconds, Container }: Resolution): string {
  const time = Container === "" ? "" : `, ${Milliseconds} ms`
  if (Source === "network") return `of ${Holders.join(", ")} on network ${Network}${time}`
  if (Source === "server") return `${Cached ? "kept from" : "from"} server ${Server}${time}`
  return ""
}
