// dhow search: Docker Hub by a word, or another registry by its name before the word.
import { checkFilter, parseFilters } from "../../client/filters.ts"
import { searchImages } from "../../client/registries.ts"
import type { SearchResult } from "../../wire/registry.ts"
import { defineCommand } from "../command.ts"
import { authForSearch } from "../credentials/credentials.ts"
import { boolean, int, list, string } from "../flags/flags.ts"
import { printError } from "../output.ts"
import { ellipsis } from "../render/human.ts"
import { type Row, showRows } from "../render/rows.ts"

const HEADERS = { Name: "NAME", Description: "DESCRIPTION", StarCount: "STARS", IsOfficial: "OFFICIAL" } as const
const SHOWN = ["Name", "Description", "StarCount", "IsOfficial"]

export const search = defineCommand({
  usage: "[OPTIONS] TERM",
  summary: "Search a registry for images, Docker Hub where none is named",
  flags: {
    filter: list("f", "Show only what matches (is-official=true, stars=3)", { value: "filter", check: checkFilter }),
    format: string("", "Print each with a Go template, or 'table', 'json'"),
    limit: int("", "Most results to ask for, up to 100", { default: "25" }),
    "no-trunc": boolean("", "Do not shorten output"),
  } as const,
  args: [1, 1],
  examples: ["dhow search --limit 5 debian", "dhow search localhost:5000/team"],
  async run({ client }, flags, [term = ""]) {
    const filters = parseFilters(flags.filter)
    if (filters["is-automated"] !== undefined)
      printError('WARNING: the "is-automated" filter is deprecated: is-automated=true finds nothing')
    const found = await searchImages(client, term, { limit: flags.limit, filters, auth: authForSearch(term) })
    const format = flags.format ?? ""
    const options = { truncate: flags["no-trunc"] !== true, isJson: /^json$|\bjson \.(?!\w)/.test(format.trim()) }
    const rows = found.map((one) => searchRow(one, options))
    await showRows(rows, { columns: { headers: HEADERS, shown: SHOWN }, format })
    return 0
  },
})

function searchRow(one: SearchResult, { truncate, isJson }: { truncate: boolean; isJson: boolean }): Row {
  const description = one.description.replace(/[\r\n]/g, " ")
  const official = isJson ? String(one.is_official) : one.is_official ? "[OK]" : ""
  return {
    Description: truncate ? ellipsis(description, 45) : description,
    IsOfficial: official,
    Name: one.name,
    StarCount: String(one.star_count),
  }
}
