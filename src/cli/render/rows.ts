// Rows of a listing as a table, one field each (-q), or through a template. A row's fields are what templates may name;
// functions are fields that take an argument (.Label "x").
import { print, writeAll } from "../output.ts"
import { formatTable } from "./table.ts"

export type RowValue = string | number | boolean | null | ((argument: unknown) => string)
export type Row = Readonly<Record<string, RowValue>>

export type Columns = {
  /** Heading of each field that a table may show. */
  readonly headers: Readonly<Record<string, string>>
  readonly shown: readonly string[]
}

export type RowsOptions = {
  readonly columns: Columns
  readonly format: string
  /** The field to print alone. */
  readonly quiet?: string | undefined
}

export async function showRows(rows: readonly Row[], options: RowsOptions): Promise<void> {
  const { columns, format, quiet } = options
  if (quiet !== undefined && (format === "" || format === "table")) {
    for (const row of rows) print(String(row[quiet]))
    return
  }
  if (format === "" || format === "table") {
    const cells = rows.map((row) => columns.shown.map((name) => String(row[name] ?? "")))
    writeAll(1, formatTable([columns.shown.map((name) => columns.headers[name]!), ...cells]))
    return
  }
  const { showWithTemplate } = await import("./rows-template.ts")
  showWithTemplate(rows, columns, format)
}

export function labelsText(labels: Readonly<Record<string, string>> | null | undefined): string {
  return Object.entries(labels ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .join(",")
}
