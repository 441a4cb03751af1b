// dhow config: every key with its value, who said so, and when a change of it takes effect. dhow config get: one value.
import { readConfig } from "../../client/config.ts"
import { DhowError } from "../../lib/errors.ts"
import { defineCommand } from "../command.ts"
import { boolean, string } from "../flags/flags.ts"
import { print, printError } from "../output.ts"
import { type Columns, showRows } from "../render/rows.ts"
import { originText, TAKES, valueText } from "./words.ts"

const COLUMNS: Columns = {
  headers: {
    Key: "KEY",
    Value: "VALUE",
    Origin: "ORIGIN",
    Takes: "CHANGES TAKE",
    Default: "DEFAULT",
    Summary: "SUMMARY",
  },
  shown: ["Key", "Value", "Origin", "Takes"],
}

export const show = defineCommand({
  usage: "[OPTIONS]",
  summary: "Show the daemon's configuration: values, and where each one comes from",
  flags: {
    changed: boolean("", "Only what is not a default"),
    format: string("", "Print each with a Go template, or 'table', 'json'"),
    quiet: boolean("q", "Only print the names of the keys"),
  } as const,
  args: [0, 0],
  examples: ["dhow config", "dhow config --changed", "dhow config --format '{{.Key}}={{.Value}}'"],
  async run({ client }, flags) {
    const report = await readConfig(client)
    const keys = report.Keys.filter(
      ({ Origins }) => flags.changed !== true || Origins.some(({ Kind }) => Kind !== "default"),
    )
    const rows = keys.map(({ Key, Value, Default, Origins, Takes, Summary }) => ({
      ...{ Key, Summary, Value: valueText(Value), Default: valueText(Default) },
      ...{ Origin: originText(Origins), Takes: TAKES[Takes] },
    }))
    await showRows(rows, {
      columns: COLUMNS,
      format: flags.format ?? "",
      quiet: flags.quiet === true ? "Key" : undefined,
    })
    if (flags.format !== undefined || flags.quiet === true) return 0
    for (const { Key, Pending } of keys)
      if (Pending !== undefined) printError(`${Key} is to be ${valueText(Pending.Value)}: ${Pending.Reason}`)
    for (const { Key, File, Line, Reason } of report.PassedOver)
      printError(`${File}:${Line}: "${Key}" has no effect: ${Reason}`)
    for (const problem of report.Problems) printError(problem)
    return 0
  },
})

export const get = defineCommand({
  usage: "KEY",
  summary: "Print the value of a key, as JSON where it is no text",
  flags: {} as const,
  args: [1, 1],
  examples: ["dhow config get log-level", "dhow config get gc.max"],
  async run({ client }, _flags, [name = ""]) {
    const [key = "", ...path] = name.split(".")
    const found = (await readConfig(client)).Keys.find(({ Key }) => Key === key)
    if (found === undefined)
      throw new DhowError("not-found", `"${key}" is no key of the configuration`, { hint: "See dhow config" })
    let value = found.Value
    for (const part of path) value = (value as Record<string, unknown> | null)?.[part] ?? null
    if (value !== null) print(valueText(value))
    return 0
  },
})
