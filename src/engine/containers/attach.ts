// Attach: a client joins the streams of a container that runs, or of one that is about to.
import { DhowError } from "../../lib/errors.ts"
import type { Attachment, AttachOptions, InputTarget, OutputSink } from "../contract.ts"
import { attributesOf } from "./attributes.ts"
import { readContainerLog } from "./logs.ts"
import type { ContainerParts } from "./parts.ts"
import { isRunning } from "./record.ts"

export async function attachContainer(
  parts: ContainerParts,
  reference: string,
  options: AttachOptions,
): Promise<Attachment> {
  const { record, state } = parts.store.resolve(reference)
  const { id, config } = record
  if (state.status === "paused")
    throw new DhowError("conflict", `container ${id} is paused, unpause the container before attach`)
  if (state.status === "restarting")
    throw new DhowError("conflict", `container ${id} is restarting, wait until the container is running`)
  const live = parts.live.of(id)
  const tty = config.Tty ?? false
  const closes = (config.StdinOnce ?? false) && !tty
  const canWrite = options.stdin && (config.OpenStdin ?? false)
  const input = live.clients.input(closes)
  let leave: (() => void) | undefined
  let output: OutputSink | undefined
  const gone = new AbortController()
  if (options.stream) parts.events.emit("container", "attach", id, attributesOf(record))

  const connect = async (sink: OutputSink): Promise<void> => {
    if (options.logs) {
      const { stdout, stderr } = options
      const replay: OutputSink = {
        write: (stream, chunk) => sink.write(stream, chunk),
        drained: () => sink.drained(),
        // The live streams come behind.
        end: () => undefined,
      }
      await readContainerLog(
        parts,
        id,
        { follow: false, stdout, stderr, timestamps: false, signal: gone.signal },
        replay,
      )
    }
    if (!options.stream) return sink.end()
    if (gone.signal.aborted) return sink.end()
    leave = live.clients.add(sink, (stream) => (stream === 1 ? options.stdout : options.stderr))
    if (live.clients.connected || !isRunning(parts.store.get(id).state)) return
    const streams = await live.monitor?.streams()
    if (streams !== undefined) live.clients.join(streams)
    else live.clients.end()
  }

  // Where the end of a client's input is not the end of the process's, it is the end of the attachment, as in Docker.
  const leavingInput: InputTarget = {
    ...input,
    end: () => {
      gone.abort()
      leave?.()
      output?.end()
    },
  }

  return {
    tty,
    input: !canWrite ? IGNORED_INPUT : closes ? input : leavingInput,
    connect: (sink) => {
      output = sink
      connect(sink).catch(() => sink.end())
    },
    detach: () => {
      gone.abort()
      leave?.()
      if (canWrite) input.end()
      if (options.stream) parts.events.emit("container", "detach", id, attributesOf(record))
    },
  }
}

export const IGNORED_INPUT = { write: () => true, drained: async () => undefined, end: () => undefined }
