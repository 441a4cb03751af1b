// Rows through a template: "table {{.ID}}\t{{.Names}}" with headings and columns, any other a line for each row, "json"
// an object for each row.
import { toJson } from "../../lib/exact-json.ts"
import { compileTemplate } from "../../lib/template/evaluate.ts"
import type { TemplateFunction } from "../../lib/template/functions.ts"
import type { Value, ValueMap } from "../../lib/template/nodes.ts"
import { formatValue } from "../../lib/template/print.ts"
import { writeAll } from "../output.ts"
import type { Columns, Row } from "./rows.ts"
import { formatTable } from "./table.ts"

export function showWithTemplate(rows: readonly Row[], columns: Columns, format: string): void {
  writeAll(1, renderRows(rows, columns, format))
}

export function renderRows(rows: readonly Row[], columns: Columns, format: string): string {
  const isTable = format.startsWith("table")
  const given = (isTable ? format.slice("table".length) : format).trim()
  const source = given === "json" ? "{{json .}}" : given.replaceAll("\\t", "\t").replaceAll("\\n", "\n")
  const functions = { json: jsonOfRow }
  const template = compileTemplate(source, { functions })
  const lines = rows.map((row) => template(row as unknown as ValueMap))
  if (!isTable) return lines.map((line) => `${line}\n`).join("")
  const heading = compileTemplate(source, { functions: HEADING_FUNCTIONS, missing: () => "" })({
    ...columns.headers,
    Label: labelHeading,
  })
  return formatTable([heading, ...lines].flatMap((text) => text.split("\n")).map((line) => line.split("\t")))
}

/** Names in order, and no methods. */
function jsonOfRow(value: Value): string {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return toJson(value)
  const fields = Object.entries(value as ValueMap).filter(([, one]) => typeof one !== "function")
  return escapeForHtml(toJson(Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1)))))
}

/** Go writes rows so; to a JSON reader it is the same. */
function escapeForHtml(json: string): string {
  return json.replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  )
}

/** "com.example.build-id" is shown as "build id". */
function labelHeading(name: Value): string {
  return String(name).split(".").at(-1)!.replace(/[-_]/g, " ")
}

/** A heading stands for the value that a function would work on. */
const first: TemplateFunction = (value) => value
const HEADING_FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  json: first,
  title: first,
  lower: first,
  upper: first,
  truncate: first,
  split: first,
  join: first,
  println: (...args) => `${args.map(formatValue).join(" ")}\n`,
}
