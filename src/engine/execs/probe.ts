// One run of a health check: an exec whose output is kept, up to a bound, and which is ended when it takes too long.

import { copyOf } from "../../lib/bytes.ts"
import type { ProbeOptions, ProbeOutcome } from "../containers/parts.ts"
import type { OutputSink } from "../contract.ts"
import type { ContainerExecs } from "./execs.ts"

const OUTPUT_LIMIT = 4096
/** A probe that was given up is waited for, lest they pile up, but not for ever: a frozen process does not die. */
const KILL_PATIENCE = 10_000

export async function runProbe(
  execs: ContainerExecs,
  container: string,
  command: readonly string[],
  { timeout, signal }: ProbeOptions,
): Promise<ProbeOutcome> {
  const output = new BoundedOutput()
  const exec = await execs.run(container, { Cmd: [...command], AttachStdout: true, AttachStderr: true }, output)
  // What the process needs to come up is not counted: the clock begins here.
  const ended = Promise.all([exec.exited, output.ended]).then(([exitCode]) => exitCode)
  const late = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => late.resolve(undefined), timeout)
  const giveUp = (): void => late.resolve(undefined)
  signal.addEventListener("abort", giveUp, { once: true })
  if (signal.aborted) giveUp()
  try {
    const exitCode = await Promise.race([ended, late.promise])
    if (exitCode !== undefined) return { exitCode, output: output.text }
    exec.kill()
    await Promise.race([ended, Bun.sleep(KILL_PATIENCE)])
    const exceeded = `Health check exceeded timeout (${goDuration(timeout)})`
    return { exitCode: -1, output: output.text === "" ? exceeded : `${exceeded}: ${output.text}` }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener("abort", giveUp)
  }
}

/** Keeps the first bytes, and takes all: a talkative check is not slowed down. */
class BoundedOutput implements OutputSink {
  readonly #chunks: Uint8Array[] = []
  #length = 0
  #isCut = false
  readonly #ended = Promise.withResolvers<void>()

  get ended(): Promise<void> {
    return this.#ended.promise
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString() + (this.#isCut ? "..." : "")
  }

  write(_stream: 1 | 2, chunk: Uint8Array): boolean {
    const kept = copyOf(chunk.subarray(0, OUTPUT_LIMIT - this.#length))
    if (kept.length < chunk.length) this.#isCut = true
    if (kept.length > 0) this.#chunks.push(kept)
    this.#length += kept.length
    return true
  }

  async drained(): Promise<void> {}

  end(): void {
    this.#ended.resolve()
  }
}

/** A duration as Go prints it: "1m30s", "500ms". */
function goDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${milliseconds}ms`
  const minutes = Math.floor(milliseconds / 60_000)
  const hours = Math.floor(minutes / 60)
  const seconds = (milliseconds % 60_000) / 1000
  return `${hours > 0 ? `${hours}h` : ""}${minutes > 0 ? `${minutes % 60}m` : ""}${seconds}s`
}
