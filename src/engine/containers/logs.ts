// The log of a container, read for a client.
import { DhowError } from "../../lib/errors.ts"
import { readLog } from "../../supervisor/logs/read.ts"
import type { LogConfig } from "../../wire/container.ts"
import type { LogOptions, OutputSink } from "../contract.ts"
import { parseBool } from "../logging/values.ts"
import type { ContainerParts } from "./parts.ts"
import { containerPaths } from "./paths.ts"
import { isRunning } from "./record.ts"

export async function containerLogs(
  parts: ContainerParts,
  reference: string,
  options: LogOptions,
): Promise<{ readonly tty: boolean; connect(sink: OutputSink): Promise<void> }> {
  const { record } = parts.store.resolve(reference)
  if (!options.stdout && !options.stderr)
    throw new DhowError("invalid", "Bad parameters: you must choose at least one stream")
  if (!isReadable(record.hostConfig.LogConfig))
    throw new DhowError("not-implemented", "configured logging driver does not support reading")
  return {
    tty: record.config.Tty ?? false,
    connect: (sink) => readContainerLog(parts, record.id, options, sink),
  }
}

/** Docker reads three drivers, and its cache for the others, which one may do without. */
function isReadable({ Type: type = "", Config }: LogConfig = {}): boolean {
  if (type === "none") return false
  return (
    ["", "default", "json-file", "local", "journald"].includes(type) ||
    !parseBool(Config?.["cache-disabled"] || "false")
  )
}

/** Delivers to the sink and ends it; following ends when the container has, and everything it wrote was delivered. */
export async function readContainerLog(
  parts: ContainerParts,
  id: string,
  options: LogOptions,
  sink: OutputSink,
): Promise<void> {
  const { state } = parts.store.get(id)
  // Following a container that does not run yet waits for it, as in Docker; one that ended is read to its end.
  const goesOn = isRunning(state) || state.status === "created" || state.status === "restarting"
  const follow = options.follow && goesOn ? parts.live.of(id).ended : undefined
  await readLog({ ...options, path: containerPaths(parts.config, id).log, follow }, sink)
}

/** More than this of a line nobody reads who asks for the last few. */
const LONGEST_LINE = 4096

/** The last lines of both streams, in order, as far as they are kept; none where the driver keeps nothing here. */
export async function lastLines(parts: Pick<ContainerParts, "config">, id: string, count: number): Promise<string[]> {
  const lines: string[] = []
  let rest = ""
  const take = (text: string): void => {
    const pieces = `${rest}${text}`.split("\n")
    rest = pieces.pop() ?? ""
    lines.push(...pieces.map((line) => line.slice(0, LONGEST_LINE)))
    lines.splice(0, lines.length - count)
    if (rest.length > LONGEST_LINE) rest = rest.slice(0, LONGEST_LINE)
  }
  const decoder = new TextDecoder()
  await readLog(
    {
      path: containerPaths(parts.config, id).log,
      stdout: true,
      stderr: true,
      timestamps: false,
      tail: count,
      signal: new AbortController().signal,
    },
    {
      write(_stream, chunk) {
        take(decoder.decode(chunk, { stream: true }))
        return true
      },
      drained: () => Promise.resolve(),
      end() {},
    },
  )
  if (rest !== "") lines.push(rest)
  return lines.slice(-count)
}
