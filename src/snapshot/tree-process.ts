// The daemon's side of a process that reads trees or layers: its output as it comes, its failure as an error. A reader that
// stops, or a caller that cancels, ends the process.

import { DhowError } from "../lib/errors.ts"
import { helperEnvironment } from "../lib/helper-environment.ts"
import { readFailure } from "./tree-answer.ts"

const COMPLAINT_LIMIT = 16 * 1024

/** `command` is the whole command line, an internal verb of this program. */
export async function* processOutput(command: readonly string[], signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  if (signal?.aborted === true) throw cancelled(signal)
  const child = Bun.spawn([...command], { env: helperEnvironment(), stdin: "ignore", stdout: "pipe", stderr: "pipe" })
  const kill = (): void => child.kill("SIGKILL")
  signal?.addEventListener("abort", kill, { once: true })
  const complaint = new Response(child.stderr).text()
  let isOver = false
  try {
    for await (const chunk of child.stdout) yield chunk
    isOver = true
    const status = await child.exited
    if (signal?.aborted) throw cancelled(signal)
    if (status !== 0) throw readFailure((await complaint).slice(-COMPLAINT_LIMIT), command, status ?? child.signalCode)
  } finally {
    signal?.removeEventListener("abort", kill)
    if (!isOver) kill()
    await child.exited
  }
}

/** The same, for a process whose output is lines of JSON. */
export async function* processLines<T>(command: readonly string[], signal?: AbortSignal): AsyncGenerator<T> {
  const decoder = new TextDecoder()
  let rest = ""
  for await (const chunk of processOutput(command, signal)) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n")
    rest = lines.pop() ?? ""
    for (const line of lines) yield JSON.parse(line) as T
  }
}

function cancelled(signal: AbortSignal): DhowError {
  return new DhowError("cancelled", "The request was cancelled", { cause: signal.reason })
}
