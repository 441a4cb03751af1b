// Docker's filters parameter: {"name": ["value", ...]} in JSON.

export type Filters = Readonly<Record<string, readonly string[]>>

export function filtersParameter(filters: Filters | undefined): string | undefined {
  if (filters === undefined || Object.keys(filters).length === 0) return undefined
  return JSON.stringify(filters)
}

/** Reads "name=value" pairs as users give them with --filter. */
export function parseFilters(pairs: readonly string[]): Record<string, string[]> {
  const filters: Record<string, string[]> = {}
  for (const pair of pairs) {
    if (pair === "") continue
    const equals = pair.indexOf("=")
    const name = pair.slice(0, equals).trim().toLowerCase()
    const values = filters[name] ?? []
    filters[name] = values
    values.push(pair.slice(equals + 1).trim())
  }
  return filters
}

export function checkFilter(text: string): string {
  if (text !== "" && !text.includes("=")) throw new Error("invalid filter: expected name=value")
  return text
}
