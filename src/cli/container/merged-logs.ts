// Lines of several containers in the order of time, each behind its container's name, in colours on a terminal; and the
// search in them. The search is done here: a regular expression can take for ever, and the engine serves others too.
import type { Client } from "../../client/client.ts"
import type { LogsQuery } from "../../client/containers.ts"
import { type LogLine, mergedLogs } from "../../client/logs.ts"
import { DhowError } from "../../lib/errors.ts"
import { isTerminal } from "../../lib/syscalls/terminal.ts"
import { descriptorWriter } from "../terminal/descriptors.ts"

const COLOURS = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94]
/** A line longer than this is searched and shown in pieces. */
const LONGEST = 1024 * 1024
const NEWLINE = 0x0a
const SPACE = 0x20

export type MergedOptions = {
  readonly names: readonly string[]
  readonly query: LogsQuery
  readonly grep?: string
}

export async function showMerged(client: Client, { names, query, grep }: MergedOptions): Promise<number> {
  const search = grep === undefined ? undefined : compile(grep)
  // The last lines that match, not the matches among the last lines; but what is followed has no end to count from.
  const last =
    search !== undefined && query.follow !== true && /^\d+$/.test(query.tail ?? "") ? Number(query.tail) : undefined
  const opened = await mergedLogs(client, names, last === undefined ? query : { ...query, tail: "all" })
  const prefixes = names.length > 1 ? prefixesOf(opened.names) : [Buffer.alloc(0)]
  const joiner = new LineJoiner()
  const ring: LogLine[] = []
  const writers = { 1: descriptorWriter(1), 2: descriptorWriter(2) }
  const isShown = ({ bytes }: LogLine): boolean =>
    search === undefined ||
    search.test(
      contentOf(bytes, query)
        .toString()
        .replace(/\r?\n$/, ""),
    )
  const show = async (lines: readonly LogLine[]): Promise<void> => {
    // Runs of one stream are written at once.
    for (let at = 0; at < lines.length; ) {
      const { stream } = lines[at]!
      const run: Uint8Array[] = []
      for (; lines[at]?.stream === stream; at++) run.push(prefixes[lines[at]!.source] ?? prefixes[0]!, lines[at]!.bytes)
      await writers[stream](Buffer.concat(run))
    }
  }
  for await (const batch of opened.lines) {
    const found = joiner.push(batch).filter(isShown)
    if (last === undefined) await show(found)
    else {
      ring.push(...found)
      ring.splice(0, ring.length - last)
    }
  }
  const rest = joiner.rest(prefixes.length > 1).filter(isShown)
  await show(last === undefined ? rest : last === 0 ? [] : [...ring, ...rest].slice(-last))
  return 0
}

/** Pieces to whole lines, container by container and stream by stream. */
class LineJoiner {
  readonly #open = new Map<string, { line: LogLine; parts: Uint8Array[]; length: number }>()

  push(batch: readonly LogLine[]): LogLine[] {
    const whole: LogLine[] = []
    for (const line of batch) {
      const key = `${line.source} ${line.stream}`
      const open = this.#open.get(key)
      const isEnd = line.bytes.at(-1) === NEWLINE
      if (open === undefined && isEnd) whole.push(line)
      else if (open === undefined) this.#open.set(key, { line, parts: [line.bytes], length: line.bytes.length })
      else {
        open.parts.push(line.bytes)
        open.length += line.bytes.length
        if (!isEnd && open.length < LONGEST) continue
        this.#open.delete(key)
        whole.push({ ...open.line, bytes: Buffer.concat(open.parts) })
      }
    }
    return whole
  }

  /** What ended without a newline; `ended` gives it one. */
  rest(ended: boolean): LogLine[] {
    const newline = ended ? [Buffer.from("\n")] : []
    return [...this.#open.values()].map(({ line, parts }) => ({
      ...line,
      bytes: Buffer.concat([...parts, ...newline]),
    }))
  }
}

/** The line without the time and the details in front of it. */
function contentOf(bytes: Uint8Array, { timestamps, details }: LogsQuery): Buffer {
  let at = 0
  for (const isThere of [timestamps, details]) if (isThere) at = bytes.indexOf(SPACE, at) + 1
  return Buffer.from(bytes.subarray(at))
}

function compile(pattern: string): RegExp {
  try {
    return new RegExp(pattern, "u")
  } catch (cause) {
    throw new DhowError("invalid", `invalid regular expression "${pattern}"`, { cause })
  }
}

function prefixesOf(names: readonly string[]): readonly Buffer[] {
  const width = Math.max(...names.map((name) => name.length))
  const isColoured = isTerminal(1) && !process.env["NO_COLOR"]
  return names.map((name, index) => {
    const text = `${name.padEnd(width)} | `
    return Buffer.from(isColoured ? `\u001b[${COLOURS[index % COLOURS.length]}m${text}\u001b[0m` : text)
  })
}
