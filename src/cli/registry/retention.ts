// dhow registry retention: how long tags are kept, by the names of their repositories.
import { dropRetention, listRetention, setRetention } from "../../client/registry-server.ts"
import type { RegistryRetention } from "../../wire/registry-server.ts"
import { defineCommand } from "../command.ts"
import { boolean, int, string } from "../flags/flags.ts"
import { UsageError } from "../flags/parse.ts"
import { type Columns, type Row, showRows } from "../render/rows.ts"
import { checkAge, formatAge, parseAge } from "./age.ts"

const COLUMNS: Columns = {
  headers: { Pattern: "REPOSITORIES", KeepLast: "KEEP LAST", MaxAge: "MAX AGE", UnusedFor: "UNUSED FOR" },
  shown: ["Pattern", "KeepLast", "MaxAge", "UnusedFor"],
}

export const retention = defineCommand({
  usage: "[OPTIONS] [PATTERN]",
  summary: "Show how long tags are kept, or set it for the repositories that match",
  flags: {
    format: string("", "Print each with a Go template, or 'table', 'json'"),
    "keep-last": int("", "The newest tags of each repository stay; alone: the others go", { value: "count" }),
    "max-age": string("", "Tags go that were pushed longer ago", { value: "duration", check: checkAge }),
    remove: boolean("", "Keep everything again"),
    "unused-for": string("", "Tags go that nobody pulled for so long", { value: "duration", check: checkAge }),
  } as const,
  args: [0, 1],
  examples: [
    "dhow registry retention",
    "dhow registry retention --keep-last 10 --max-age 90d 'team/*'",
    "dhow registry retention --unused-for 30d 'hub/*'",
    "dhow registry retention --remove 'team/*'",
  ],
  async run({ client }, flags, [pattern]) {
    const policy = {
      ...(flags["keep-last"] === undefined ? {} : { keepLast: flags["keep-last"] }),
      ...(flags["max-age"] === undefined ? {} : { maxAge: parseAge(flags["max-age"]) }),
      ...(flags["unused-for"] === undefined ? {} : { unusedFor: parseAge(flags["unused-for"]) }),
    }
    const isSet = Object.keys(policy).length > 0
    if (flags.remove === true) {
      if (pattern === undefined || isSet) throw new UsageError("--remove takes a pattern and nothing else")
      await dropRetention(client, pattern)
    } else if (isSet) await setRetention(client, { pattern: pattern ?? "*", ...policy })
    else {
      const rows = (await listRetention(client)).map(rowOf)
      await showRows(rows, { columns: COLUMNS, format: flags.format ?? "" })
    }
    return 0
  },
})

function rowOf({ pattern, keepLast, maxAge, unusedFor }: RegistryRetention): Row {
  const age = (seconds: number | undefined): string => (seconds === undefined ? "" : formatAge(seconds))
  return {
    Pattern: pattern,
    KeepLast: keepLast === undefined ? "" : String(keepLast),
    MaxAge: age(maxAge),
    UnusedFor: age(unusedFor),
  }
}
