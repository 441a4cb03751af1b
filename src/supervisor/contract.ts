// Supervision: one conmon per container and per exec. conmon holds the standard streams, writes the log, reaps the
// process and writes the exit file, which is the truth about an exit. It outlives the engine: on restart `adopt` finds
// it again.

export type ExitRecord = {
  readonly exitCode: number
  readonly finishedAt: Date
  readonly oomKilled: boolean
  /** conmon was killed, and what it supervised with it: the code is made up. */
  readonly vanished?: true
}

export type LogRotation = {
  /** Bytes after which a new file is begun; none where it is not above 0. */
  readonly maxSize: number
  /** Number of files, the live one among them. */
  readonly maxFile: number
  /** Keep rotated files compressed (zstd). */
  readonly compress?: boolean | undefined
  /** Number of the oldest file that somebody still has to read; older ones go. Undefined: what is too many goes. */
  readonly neededFrom?: (() => number | undefined) | undefined
  /** Bytes after which conmon begins anew by itself, where no engine looks after the log; what was not numbered is lost. */
  readonly unattended?: number | undefined
}

export type LaunchOptions = {
  readonly id: string
  /** Directory with config.json; conmon's files (pid, ctl, attach, oom) are put here too. */
  readonly bundle: string
  readonly runtime: { readonly path: string; readonly args: readonly string[] }
  readonly terminal: boolean
  /** Give the process a standard input that can be written to. */
  readonly stdin: boolean
  /** Keep that input open when the client who writes to it goes away. */
  readonly leaveStdinOpen: boolean
  /** k8s-file log, or undefined for none. */
  readonly logPath: string | undefined
  /** Bounds of the log, kept while the process runs; undefined lets it grow. */
  readonly logRotation?: LogRotation | undefined
  /** Seconds after which the process is killed; undefined for none. */
  readonly timeout?: number
}

/**
 * Live streams of one supervised process. Packets go to every listener; the slowest one slows the process down, its log
 * and the other listeners with it, until it has drained or leaves.
 */
export interface Streams {
  /** Adds a listener; returns the function that removes it. */
  listen(listener: StreamListener): () => void
  /** Returns false when the caller should await `inputDrained` first. */
  write(chunk: Uint8Array): boolean
  inputDrained(): Promise<void>
  /** Half-closes: the process sees end of file, unless leaveStdinOpen. */
  endInput(): void
}

export type StreamListener = {
  /**
   * The chunk may be kept, but not changed: every listener gets the same. Returning false asks to pause until `drained`
   * has resolved; a few more chunks may come before the pause takes hold.
   */
  data(stream: 1 | 2, chunk: Uint8Array): boolean
  drained(): Promise<void>
  /**
   * Called once, after the last byte. The process's end shows in two ways that keep no order: here, when all was
   * delivered, and in `Monitor.exited`, which no slow listener delays. Who answers a client awaits both.
   */
  end(): void
}

/** A supervised process: running, or already gone. */
export interface Monitor {
  readonly id: string
  /** Process id in the engine's pid namespace, with its start time against reuse. */
  readonly pid: number
  readonly conmonPid: number
  /** Settles once, when conmon has recorded the exit (or has itself vanished: exitCode 137 and a log line). */
  readonly exited: Promise<ExitRecord>
  /**
   * Connects to the streams at the first call; undefined once the process is gone. Between launch and start nothing can
   * have been missed; a listener added in the same turn gets everything from then on.
   */
  streams(): Promise<Streams | undefined>
  resize(height: number, width: number): void
  /** SIGKILL to the process and to what it started, as far as that stayed in its process group. */
  kill(): void
  /** Tells conmon to begin a new log file in the place of the one it writes; once, however often it is called until then. */
  reopenLog(): void
  /** Other bounds of its log from now on. */
  boundLog(rotation: LogRotation | undefined): void
}

export interface Supervisor {
  /** Spawns conmon, which runs `runtime create`. Resolves when the process exists and waits to be started; throws with the runtime's own words when it cannot be made. */
  launch(options: LaunchOptions): Promise<Monitor>
  /**
   * Spawns conmon for `runtime exec`. `beforeStart` is called with the connected streams before the process runs, so
   * that no byte is lost; without it the session is detached and has no streams. Where the runtime refuses, this throws
   * its words, and listeners see their end as well.
   */
  exec(options: ExecLaunchOptions): Promise<Monitor>
  /**
   * After a restart of the engine: the live process, its exit record, or "lost" where neither conmon nor an exit file is
   * found. `pid` is 0 where the engine was killed before it learned it: a process that was just being made is found when
   * it is made; it was not started, and the runtime's delete ends it. A lost container may still have processes, which
   * the runtime's delete ends too.
   */
  adopt(options: {
    readonly id: string
    readonly bundle: string
    readonly pid: number
    /** As at launch: the log that grew unattended is looked after again. */
    readonly logPath?: string | undefined
    readonly logRotation?: LogRotation | undefined
  }): Promise<Monitor | ExitRecord | "lost">
  /** Forgets a process that has ended, or is being ended: its exit file and what conmon made in the bundle. */
  forget(id: string): void
  /** Removes exit files of whatever is not in `known`: nobody will ask for them. */
  sweep(known: ReadonlySet<string>): void
}

export type ExecLaunchOptions = {
  /** Id of the exec session; `container` is the id the runtime knows. */
  readonly id: string
  readonly container: string
  /** Directory of its own for conmon's files and process.json. */
  readonly bundle: string
  readonly runtime: { readonly path: string; readonly args: readonly string[] }
  readonly terminal: boolean
  readonly stdin: boolean
  readonly beforeStart?: (streams: Streams) => void
}

/** Where log output goes; what the engine's sinks are, too. The chunks handed over stay valid. */
export type LogSink = {
  /** Has taken the chunk in either case; false asks to await `drained` before more. */
  write(stream: 1 | 2, chunk: Uint8Array): boolean
  /** Resolves when more can be taken, or when the sink is gone. */
  drained(): Promise<void>
  end(): void
}

export type ReadLogOptions = {
  /** The path given at launch; rotated files beside it are read as well. */
  readonly path: string
  readonly stdout: boolean
  readonly stderr: boolean
  /** Begins every line with its time, RFC 3339 with nanoseconds, and a space. */
  readonly timestamps: boolean
  /** Put in front of every line, behind its time. */
  readonly prefix?: Uint8Array | undefined
  /** Number of last lines, of both streams together; undefined for all. */
  readonly tail?: number | undefined
  /** Milliseconds since 1970; fractions allowed. Both ends belong to the range. */
  readonly since?: number | undefined
  readonly until?: number | undefined
  /** Goes on as the log grows, until this settles (the process has exited) and all is delivered; undefined to stop at the present end. */
  readonly follow?: Promise<unknown> | undefined
  readonly signal: AbortSignal
}
