// The user's end of an attach or exec: standard input to the hijacked connection, its output to standard output and
// error, the terminal raw meanwhile. However it ends, the terminal is as it was before.
import type { Duplex } from "../../client/duplex.ts"
import { FrameReader, SYSTEM_ERROR } from "../../client/frames.ts"
import { DhowError } from "../../lib/errors.ts"
import { isTerminal, makeRaw } from "../../lib/syscalls/terminal.ts"
import { type DescriptorWriter, descriptorWriter, readDescriptor } from "./descriptors.ts"
import { DetachWatcher, parseDetachKeys } from "./detach-keys.ts"

export type SessionOptions = {
  /** The container's side is a terminal: one raw stream. */
  readonly tty: boolean
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  readonly detachKeys?: string | undefined
}

export type SessionEnd = "ended" | "detached"

/** Resolves when the output has ended, or when the user detached. */
export async function runSession(stream: Duplex, options: SessionOptions): Promise<SessionEnd> {
  const keys = parseDetachKeys(options.detachKeys)
  const raw = options.stdin && options.tty && isTerminal(0)
  const restore = raw ? rawTerminal() : () => {}
  try {
    const output = copyOutput(stream, options)
    const input = options.stdin ? copyInput(stream, options.tty ? new DetachWatcher(keys) : undefined) : undefined
    if (input === undefined) stream.endWriting()
    // Input that merely ended says nothing: the container may go on writing.
    const detached = new Promise<SessionEnd>((resolve, reject) => {
      input?.then((end) => end === "detached" && resolve(end), reject)
    })
    return await Promise.race([output.then((): SessionEnd => "ended"), detached])
  } finally {
    restore()
    stream.close()
  }
}

const ENDING = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const

/** Raw until the function returned is called, or the program ends in whatever way it can see coming. */
function rawTerminal(): () => void {
  const undo = makeRaw(0)
  const end = (signal: NodeJS.Signals): void => {
    // Another listener passes the signal on to the container, and the program goes on.
    if (process.listenerCount(signal) === 1) process.exit(128 + ENDING[signal as keyof typeof ENDING])
  }
  process.once("exit", undo)
  for (const signal of Object.keys(ENDING)) process.on(signal, end)
  return () => {
    undo()
    process.off("exit", undo)
    for (const signal of Object.keys(ENDING)) process.off(signal, end)
  }
}

async function copyInput(stream: Duplex, watcher: DetachWatcher | undefined): Promise<SessionEnd> {
  for await (const chunk of readDescriptor(0)) {
    const { pass, detached } = watcher === undefined ? { pass: chunk, detached: false } : watcher.push(chunk)
    if (pass.byteLength > 0) await stream.write(pass)
    if (detached) return "detached"
  }
  stream.endWriting()
  return "ended"
}

async function copyOutput(stream: Duplex, options: SessionOptions): Promise<void> {
  const stdout = options.stdout ? descriptorWriter(1) : ignore
  const stderr = options.stderr ? descriptorWriter(2) : ignore
  if (options.tty) {
    for (let chunk = await stream.read(); chunk !== undefined; chunk = await stream.read()) await stdout(chunk)
    return
  }
  await copyFrames(stream, { stdout, stderr })
}

const ignore: DescriptorWriter = () => undefined

export type FrameTargets = { readonly stdout: DescriptorWriter; readonly stderr: DescriptorWriter }

/** Takes a multiplexed stream apart. Consecutive payloads of one stream are written together. */
export async function copyFrames(
  source: { read(): Promise<Uint8Array | undefined> },
  targets: FrameTargets,
): Promise<void> {
  let pending: { to: number; parts: Uint8Array[] }[] = []
  let systemError = ""
  const reader = new FrameReader((to, payload) => {
    if (to === SYSTEM_ERROR) systemError += Buffer.from(payload).toString()
    else if (pending.at(-1)?.to === to) pending.at(-1)!.parts.push(payload)
    else pending.push({ to, parts: [payload] })
  })
  for (let chunk = await source.read(); chunk !== undefined; chunk = await source.read()) {
    reader.push(chunk)
    const batch = pending
    pending = []
    for (const { to, parts } of batch) {
      const bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts)
      await (to === 2 ? targets.stderr : targets.stdout)(bytes)
    }
  }
  if (systemError !== "") throw new DhowError("internal", `error from daemon in stream: ${systemError.trim()}`)
}
