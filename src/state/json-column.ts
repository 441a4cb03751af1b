// A JSON column as a value. What cannot be read (a damaged file, a hand that slipped) is undefined and said once, in the
// log: one row must not keep the engine from serving the others, and nothing is deleted because it could not be read.
import { log } from "../lib/log.ts"

const said = new Set<string>()

/** `row` names the row for the log: 'volume "data"'. */
export function readJsonColumn<T extends object>(text: string, row: string): T | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === "object" && value !== null) return value as T
  } catch {
    // Said below, like JSON that is no object.
  }
  if (!said.has(row)) log.error("A row of the database is unreadable; it is kept and left alone", { row })
  said.add(row)
  return undefined
}
