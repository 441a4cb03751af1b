// Output of a process on a client's stream: as it is for a terminal, else each piece behind Docker's 8-byte frame
// (stream number, three zeros, length), so that standard output and error stay apart.
import type { OutputSink, StdStream } from "../../engine/contract.ts"

/** What is written to: a connection taken over, or the body of an answer. */
export type Pipe = {
  write(chunk: Uint8Array): boolean
  writeFramed(frame: Uint8Array, chunk: Uint8Array): boolean
  drained(): Promise<void>
}

export const RAW_STREAM = "application/vnd.docker.raw-stream"
const MULTIPLEXED_STREAM = "application/vnd.docker.multiplexed-stream"

/** The content type of a process's output: older clients know one only. */
export function streamType(tty: boolean, api: number): string {
  return !tty && api >= 42 ? MULTIPLEXED_STREAM : RAW_STREAM
}

export function outputSink(pipe: Pipe, options: { readonly tty: boolean; readonly end: () => void }): OutputSink {
  const { tty, end } = options
  const frame = new Uint8Array(8)
  const view = new DataView(frame.buffer)
  return {
    write(stream: StdStream, chunk) {
      if (tty) return pipe.write(chunk)
      frame[0] = stream
      view.setUint32(4, chunk.length)
      return pipe.writeFramed(frame, chunk)
    },
    drained: () => pipe.drained(),
    end,
  }
}
