// The log of a container, read for a client.
import { DhowError } from "../../lib/errors.ts"
import { readLog } from "../../supervisor/logs/read.ts"
import type { LogConfig } from "../../wire/container.ts"
import type { LogOptions, OutputSink } from "../contract.ts"
import { parseBool } from "../logging/values.ts"
import { logInfoOf } from "./feed-log.ts"
import type { ContainerParts } from "./parts.ts"
import { containerPaths } from "./paths.ts"
import { type ContainerRecord, isRunning } from "./record.ts"

export async function containerLogs(
  parts: ContainerParts,
  reference: string,
  options: LogOptions,
): Promise<{ readonly tty: boolean; connect(sink: OutputSink): Promise<void> }> {
  const { record, state } = parts.store.resolve(reference)
  if (!options.stdout && !options.stderr)
    throw new DhowError("invalid", "Bad parameters: you must choose at least one stream")
  if (state.status === "removing" || state.status === "dead")
    throw new DhowError("conflict", "can not get logs from container which is dead or marked for removal")
  if (!isReadable(record.hostConfig.LogConfig))
    throw new DhowError("not-implemented", "configured logging driver does not support reading")
  const prefix = options.details ? await detailsOf(record) : undefined
  return {
    tty: record.config.Tty ?? false,
    connect: (sink) => readContainerLog(parts, record.id, { ...options, prefix }, sink),
  }
}

/** Docker reads three drivers, and its cache for the others, which one may do without. */
export function isReadable({ Type: type = "", Config }: LogConfig = {}): boolean {
  if (type === "none") return false
  return (
    ["", "default", "json-file", "local", "journald"].includes(type) ||
    !parseBool(Config?.["cache-disabled"] || "false")
  )
}

/** What `--details` puts in front of each line: the attributes as a query's parameters, and a space. */
export async function detailsOf(record: ContainerRecord): Promise<Uint8Array> {
  const info = logInfoOf(record)
  const { extraAttributes, logTag } = await import("../logging/info.ts")
  const extra = extraAttributes(info)
  if (info.options["tag"]) extra["tag"] = logTag(info, "")
  const escaped = (text: string): string => new URLSearchParams({ x: text }).toString().slice(2).replaceAll("*", "%2A")
  const pairs = Object.entries(extra).sort(([a], [b]) => (a < b ? -1 : 1))
  return Buffer.from(`${pairs.map(([name, value]) => `${escaped(name)}=${escaped(value)}`).join(",")} `)
}

/** Delivers to the sink and ends it; following ends when the container has, and everything it wrote was delivered. */
export async function readContainerLog(
  parts: ContainerParts,
  id: string,
  options: LogOptions & { readonly prefix?: Uint8Array | undefined },
  sink: OutputSink,
): Promise<void> {
  const { state } = parts.store.get(id)
  // Following a container that does not run yet waits for it, as in Docker; one that ended is read to its end.
  const goesOn = isRunning(state) || state.status === "created" || state.status === "restarting"
  const follow = options.follow && goesOn ? parts.live.of(id).ended : undefined
  await readLog({ ...options, path: containerPaths(parts.config, id).log, follow }, sink)
}
