// Rows through a template, or as one JSON document a line.
import { DhowError } from "../../lib/errors.ts"
import { writeAll } from "../output.ts"
import type { Columns, Row } from "./rows.ts"

export function showWithTemplate(rows: readonly Row[], _columns: Columns, format: string): void {
  if (format !== "json") throw new DhowError("not-implemented", `Format "${format}" is not known`)
  for (const row of rows) writeAll(1, `${JSON.stringify(row)}\n`)
}
