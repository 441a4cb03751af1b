// One run of a health check: an exec whose output is kept, up to a bound, and which is ended when it takes too long.

import { copyOf } from "../../lib/bytes.ts"
import { DhowError } from "../../lib/errors.ts"
import type { ProbeOptions, ProbeOutcome } from "../containers/parts.ts"
import type { OutputSink } from "../contract.ts"
import type { ContainerExecs, OwnExec } from "./execs.ts"

const OUTPUT_LIMIT = 4096
/** A probe that was given up is waited for, lest they pile up, but not for ever: a frozen process does not die. */
const KILL_PATIENCE = 10_000
/** As in Docker: what it takes to start a process does not count as the check's time, but has an end too. */
const START_PATIENCE = 30_000

export async function runProbe(
  execs: ContainerExecs,
  container: string,
  command: readonly string[],
  { timeout, signal }: ProbeOptions,
): Promise<ProbeOutcome> {
  const output = new BoundedOutput()
  const exec = await soon(execs.run(container, { Cmd: [...command], AttachStdout: true, AttachStderr: true }, output), {
    container,
    signal,
  })
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

/** A process that is too long in coming up, or of no interest any more, is killed when it does. */
async function soon(
  starting: Promise<OwnExec>,
  { container, signal }: { readonly container: string; readonly signal: AbortSignal },
): Promise<OwnExec> {
  const late = Promise.withResolvers<never>()
  const fail = (): void =>
    late.reject(new DhowError("unavailable", `timed out starting health check for container ${container}`))
  const timer = setTimeout(fail, START_PATIENCE)
  signal.addEventListener("abort", fail, { once: true })
  try {
    return await Promise.race([starting, late.promise])
  } catch (error) {
    starting.then((exec) => exec.kill()).catch(() => undefined)
    throw error
  } finally {
    clearTimeout(timer)
    signal.removeEventListener("abort", fail)
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
