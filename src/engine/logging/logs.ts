// The logs noun: what dhow does with logs beyond Docker's API.

import { DhowError, isKind } from "../../lib/errors.ts"
import { bytesOf, clearContainerLog, logBytes } from "../containers/clear-log.ts"
import { detailsOf, isReadable } from "../containers/logs.ts"
import type { ContainerParts } from "../containers/parts.ts"
import { containerPaths } from "../containers/paths.ts"
import { isRunning } from "../containers/record.ts"
import type { LineSink, Logs } from "../contract/logs.ts"
import type { LogOptions } from "../contract/streams.ts"
import type { KeptLog } from "./kept.ts"
import { type LogSource, mergeLogs } from "./merge.ts"
import type { LogMessage } from "./messages.ts"

type Opened = LogSource & { readonly name: string; readonly prefix: Uint8Array | undefined }

const NEWLINE = Buffer.from("\n")

export function openLogs(parts: ContainerParts): Logs {
  return {
    open: async (references, options) => {
      if (!options.stdout && !options.stderr)
        throw new DhowError("invalid", "Bad parameters: you must choose at least one stream")
      if (references.length === 0) throw new DhowError("invalid", "No container is named")
      const sources: Opened[] = []
      for (const reference of references) sources.push(await openSource(parts, reference, options))
      return {
        names: sources.map(({ name }) => name),
        connect: (sink) => mergeLogs(sources, options, lineWriter(sources, options, sink)),
      }
    },
    clear: async (reference) => {
      const found = lookUp(parts, reference)
      if ("record" in found) return { SpaceReclaimed: await clearContainerLog(parts, found.record.id) }
      const size = bytesOf(parts.keptLogs.path(found.id))
      parts.keptLogs.remove(found.id)
      return { SpaceReclaimed: size }
    },
    usage: async () => ({
      Containers: parts.store.all().map(({ record, state }) => ({
        Id: record.id,
        Name: record.name,
        Running: isRunning(state),
        Size: logBytes(parts, record.id),
      })),
      Kept: parts.keptLogs.all().map(({ id, name, image, removedAt, keepUntil }) => ({
        Id: id,
        Name: name,
        Image: image,
        RemovedAt: new Date(removedAt).toISOString(),
        KeepUntil: new Date(keepUntil).toISOString(),
        Size: bytesOf(parts.keptLogs.path(id)),
      })),
    }),
  }
}

/** A container that is there comes before one that was. */
function lookUp(parts: ContainerParts, reference: string): ReturnType<ContainerParts["store"]["resolve"]> | KeptLog {
  try {
    return parts.store.resolve(reference)
  } catch (error) {
    const kept = isKind(error, "not-found") ? parts.keptLogs.find(reference) : undefined
    if (kept === undefined) throw error
    return kept
  }
}

async function openSource(parts: ContainerParts, reference: string, options: LogOptions): Promise<Opened> {
  const found = lookUp(parts, reference)
  if (!("record" in found)) {
    const prefix = options.details ? Buffer.from(found.details) : undefined
    return { name: found.name, path: parts.keptLogs.path(found.id), follow: undefined, prefix }
  }
  const { record, state } = found
  if (!isReadable(record.hostConfig.LogConfig))
    throw new DhowError("not-implemented", "configured logging driver does not support reading", {
      hint: `The log of "${record.name}" is not kept here`,
    })
  const goesOn = isRunning(state) || state.status === "created" || state.status === "restarting"
  return {
    name: record.name,
    path: containerPaths(parts.config, record.id).log,
    follow: options.follow && goesOn ? parts.live.of(record.id).ended : undefined,
    prefix: options.details ? await detailsOf(record) : undefined,
  }
}

function lineWriter(sources: readonly Opened[], options: LogOptions, sink: LineSink) {
  return {
    drained: () => sink.drained(),
    write(source: number, { stream, time, line, partial }: LogMessage): boolean {
      if (!(stream === 1 ? options.stdout : options.stderr)) return true
      const isFirst = partial === undefined || partial.ordinal === 1
      const prefix = sources[source]?.prefix
      const pieces: Uint8Array[] = []
      if (isFirst && options.timestamps) pieces.push(Buffer.from(`${time} `))
      if (isFirst && prefix !== undefined) pieces.push(prefix)
      pieces.push(line)
      if (partial === undefined || partial.last) pieces.push(NEWLINE)
      return sink.write(source, stream, Buffer.concat(pieces))
    },
  }
}
