// The streams of containers and execs, as the engine and whoever serves a client hand them to one another.

/** 1 is standard output, 2 standard error; a terminal has only 1. */
export type StdStream = 1 | 2

/** Where output goes. A sink that returns false from `write` has taken the chunk, and is asked to be waited for. */
export type OutputSink = {
  write(stream: StdStream, chunk: Uint8Array): boolean
  /** Resolves when more can be taken, or when the sink is gone. */
  drained(): Promise<void>
  /** No more output will come: the process ended, or the reader was detached. */
  end(): void
}

/** Where a client's input goes. Input written before the container starts is kept, up to 1 MiB, then asks to wait. */
export type InputTarget = {
  write(chunk: Uint8Array): boolean
  drained(): Promise<void>
  /** The client has closed its side. */
  end(): void
}

export type AttachOptions = {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  /** Replay what was logged before what comes. */
  readonly logs: boolean
  readonly stream: boolean
  /** docker's notation, "ctrl-p,ctrl-q"; empty for the default. Only looked for when the container has a terminal. */
  readonly detachKeys?: string
}

/** A client's end of an attach or exec; `tty` tells whether to multiplex. */
export type Attachment = {
  readonly tty: boolean
  /** The keys that an exec was made with, in docker's notation. */
  readonly detachKeys?: string
  readonly input: InputTarget
  /** Begins delivery to the sink; call once, after the answer's head was sent. */
  connect(sink: OutputSink): void
  /** The client went away, or typed the detach keys: stop delivering. The container goes on. */
  detach(why: "gone" | "keys"): void
}

export type LogOptions = {
  readonly follow: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  /** Milliseconds since 1970; fractions allowed. */
  readonly since?: number
  readonly until?: number
  readonly timestamps: boolean
  /** Put the labels and variables that the log options name in front of each line. */
  readonly details?: boolean
  /** Number of last lines; undefined for all. */
  readonly tail?: number
  readonly signal: AbortSignal
}
