// dhow stats: what containers use, as a table that is drawn anew twice a second, or once with --no-stream.

import type { Client } from "../../client/client.ts"
import { containerStats, listContainers } from "../../client/containers.ts"
import { parseFilters } from "../../client/filters.ts"
import { serverEvents } from "../../client/system.ts"
import { defineCommand } from "../command.ts"
import { messageOf, printFailure } from "../failure.ts"
import { boolean, string } from "../flags/flags.ts"
import { printError, writeAll } from "../output.ts"
import { formatTable } from "../render/table.ts"
import { NOTHING_YET, STATS_COLUMNS, type StatsRow, shownColumns, statsRow } from "./stats-row.ts"

const REDRAW_MS = 500
/** Cursor to the upper left corner; each line clears what is right of it, the end what is below. */
const HOME = "\x1b[H"
const CLEAR_LINE = "\x1b[K"
const CLEAR_BELOW = "\x1b[J"

export const stats = defineCommand({
  usage: "[OPTIONS] [CONTAINER...]",
  summary: "Show what containers use, as it changes",
  flags: {
    all: boolean("a", "Show all containers, not only those that run"),
    format: string("", "Print each with a Go template, or 'table', 'json'"),
    "no-stream": boolean("", "Print once and end"),
    "no-trunc": boolean("", "Do not shorten output"),
  } as const,
  args: [0, Number.POSITIVE_INFINITY],
  examples: [
    "dhow stats",
    "dhow stats --no-stream web db",
    "dhow stats --no-stream --format '{{.Name}}: {{.CPUPerc}}'",
  ],
  async run({ client }, flags, names) {
    const render = await renderer(flags.format ?? "", flags["no-trunc"] === true)
    const all = flags.all === true
    const chosen =
      names.length > 0 ? names : (await listContainers(client, { all })).map((container) => container.Id.slice(0, 12))
    if (flags["no-stream"] === true) {
      const { rows, failed } = await readOnce(client, chosen)
      writeAll(1, render(rows))
      return failed ? 1 : 0
    }
    const board = new Board(client)
    for (const name of chosen) board.follow(name)
    if (names.length === 0) void board.followNew(all)
    return draw(board, render, names.length > 0)
  },
})

type Render = (rows: readonly StatsRow[]) => string

async function renderer(format: string, whole: boolean): Promise<Render> {
  const shown = (row: StatsRow): StatsRow => (whole ? row : { ...row, ID: row.ID.slice(0, 12) })
  if (format !== "" && format !== "table") {
    const { renderRows } = await import("../render/rows-template.ts")
    return (rows) => renderRows(rows.map(shown), STATS_COLUMNS, format)
  }
  return (rows) => {
    const columns = shownColumns(rows)
    const headings = columns.map((name) => STATS_COLUMNS.headers[name] ?? name)
    return formatTable([headings, ...rows.map((row) => columns.map((name) => shown(row)[name as keyof StatsRow]))])
  }
}

/** Each container on its own: one that is not there is named, the others are shown. */
async function readOnce(client: Client, names: readonly string[]): Promise<{ rows: StatsRow[]; failed: boolean }> {
  let failed = false
  const rows = await Promise.all(
    names.map(async (name) => {
      try {
        for await (const reading of await containerStats(client, name, { stream: false }))
          return statsRow(name, reading)
      } catch (error) {
        failed = true
        printFailure(error)
      }
      return undefined
    }),
  )
  return { rows: rows.filter((row) => row !== undefined), failed }
}

/** The last reading of every container that is followed, in the order they were added. */
class Board {
  readonly rows = new Map<string, StatsRow>()
  readonly failures: string[] = []
  following = 0
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  follow(name: string): void {
    if (this.rows.has(name)) return
    this.rows.set(name, { ...NOTHING_YET, Container: name })
    this.following++
    void this.#read(name)
  }

  /** Containers that appear from now on, and not those that go. */
  async followNew(all: boolean): Promise<void> {
    const events = await serverEvents(this.#client, {
      filters: parseFilters([
        "type=container",
        ...["create", "start", "die", "destroy"].map((name) => `event=${name}`),
      ]),
    })
    for await (const { Action, Actor } of events) {
      const name = Actor.ID.slice(0, 12)
      if (Action === (all ? "create" : "start")) this.follow(name)
      else if (Action === "destroy" || (Action === "die" && !all)) this.rows.delete(name)
    }
  }

  async #read(name: string): Promise<void> {
    try {
      for await (const reading of await containerStats(this.#client, name, { stream: true })) {
        if (!this.rows.has(name)) break
        this.rows.set(name, statsRow(name, reading))
      }
    } catch (error) {
      this.failures.push(`dhow: ${messageOf(error)}`)
    }
    this.rows.delete(name)
    this.following--
  }
}

/** Until the user ends it, or every container that was named is gone. */
async function draw(board: Board, render: Render, namedOnly: boolean): Promise<number> {
  const isTerminal = process.stdout.isTTY
  // A first look would show dashes where the answers are on their way.
  await Bun.sleep(50)
  if (isTerminal) writeAll(1, "\x1b[2J")
  for (;;) {
    if (namedOnly && board.following === 0) break
    const text = render([...board.rows.values()])
    writeAll(1, isTerminal ? HOME + text.replaceAll("\n", `${CLEAR_LINE}\n`) + CLEAR_BELOW : text)
    await Bun.sleep(REDRAW_MS)
  }
  for (const failure of board.failures) printError(failure)
  return board.failures.length > 0 ? 1 : 0
}
