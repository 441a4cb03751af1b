// Attach: a client joins the streams of a container that runs, or of one that is about to.
import { DhowError, describeError } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"
import { readLog } from "../../supervisor/logs/read.ts"
import type { Attachment, AttachOptions, InputTarget, OutputSink, StdStream } from "../contract.ts"
import { attributesOf } from "./attributes.ts"
import { logOf } from "./log-settings.ts"
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
    throw new DhowError("conflict", `container ${reference} is paused, unpause the container before attach`)
  if (state.status === "restarting")
    throw new DhowError("conflict", `container ${reference} is restarting, wait until the container is running`)
  const live = parts.live.of(id)
  // Of this run, which may be over before the client is connected; or of the next one.
  const { ended } = live
  const tty = config.Tty ?? false
  const closes = (config.StdinOnce ?? false) && !tty
  const canWrite = options.stdin && (config.OpenStdin ?? false)
  const input = live.clients.input(closes)
  let leave: (() => void) | undefined
  let output: OutputSink | undefined
  const gone = new AbortController()
  parts.events.emit("container", "attach", id, attributesOf(record))

  const join = async (sink: OutputSink, wants: (stream: StdStream) => boolean): Promise<void> => {
    leave = live.clients.add(sink, wants)
    if (live.clients.connected || !isRunning(parts.store.get(id).state)) return
    const streams = await live.monitor?.streams()
    if (streams !== undefined) live.clients.join(streams)
    else live.clients.end()
  }

  const connect = async (sink: OutputSink): Promise<void> => {
    const { stdout, stderr, stream } = options
    const path = options.logs ? logOf(parts, record).logPath : undefined
    if (options.logs && path === undefined && !stream) {
      sink.write(1, Buffer.from("Error attaching: configured logging driver does not support reading\n"))
      return sink.end()
    }
    if (path === undefined) {
      if (!stream || gone.signal.aborted) sink.end()
      else await join(sink, (from) => (from === 1 ? stdout : stderr))
      return
    }
    // The log has the past and what comes, without a seam; the streams are joined for the client's input only.
    if (stream && canWrite) await join(NO_OUTPUT, () => false)
    const follow = stream ? ended : undefined
    await readLog({ path, stdout, stderr, timestamps: false, follow, signal: gone.signal }, sink)
    leave?.()
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
      output = endingOnce(sink)
      connect(output).catch((error: unknown) => {
        log.warn("A client could not be attached", { container: id, error: describeError(error) })
        output?.end()
      })
    },
    detach: (why) => {
      gone.abort()
      leave?.()
      if (canWrite) input.end()
      if (why === "keys")
        parts.events.emit("container", "detach", id, attributesOf(parts.store.find(id)?.record ?? record))
    },
  }
}

/** The log ends the sink, and so does a client that leaves. */
function endingOnce(sink: OutputSink): OutputSink {
  let isOver = false
  return {
    write: (stream, chunk) => sink.write(stream, chunk),
    drained: () => sink.drained(),
    end: () => {
      if (!isOver) sink.end()
      isOver = true
    },
  }
}

const NO_OUTPUT: OutputSink = { write: () => true, drained: async () => undefined, end: () => undefined }
export const IGNORED_INPUT = { write: () => true, drained: async () => undefined, end: () => undefined }
