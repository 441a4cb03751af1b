// The daemon's side of making a layer in a process of its own: starts the process, hears its answer, kills it when the caller cancels.

import { availableParallelism } from "node:os"
import { DhowError, isKind } from "../lib/errors.ts"
import { helperEnvironment } from "../lib/helper-environment.ts"
import { log } from "../lib/log.ts"
import { Slots } from "../lib/slots.ts"
import type { LayerAnswer } from "./layer-answer.ts"
import type { MadeLayer } from "./layer-form.ts"

const MAX_COMPLAINT = 4096
/** Each takes a processor and a hundred megabytes, and what they read is still coming in beside them. */
const slots = new Slots(Math.max(1, Math.floor(availableParallelism() / 2)))

/**
 * Resolves when the layer is usable; the process may then go on to make it durable. `command` is the whole command line,
 * an internal verb of this program.
 */
export async function layerProcess(command: readonly string[], signal: AbortSignal | undefined): Promise<MadeLayer> {
  return await slots.hold(signal, async () => await makeLayer(command, signal))
}

async function makeLayer(command: readonly string[], signal: AbortSignal | undefined): Promise<MadeLayer> {
  if (isAborted(signal)) throw cancelled(signal)
  const child = Bun.spawn([...command], { env: helperEnvironment(), stdin: "ignore", stdout: "pipe", stderr: "pipe" })
  const kill = (): void => child.kill("SIGKILL")
  signal?.addEventListener("abort", kill, { once: true })
  try {
    const answer = await firstLine(child.stdout)
    if (answer === undefined) {
      await child.exited
      if (isAborted(signal)) throw cancelled(signal)
      const complaint = (await new Response(child.stderr).text()).slice(0, MAX_COMPLAINT).trim()
      throw new DhowError(
        "internal",
        `"${command.join(" ")}" ended with status ${child.exitCode ?? child.signalCode}`,
        {
          cause: new Error(complaint),
        },
      )
    }
    const parsed = JSON.parse(answer) as LayerAnswer
    if ("error" in parsed) throw new DhowError(parsed.error.kind, parsed.error.message)
    child.unref()
    void child.exited.then((status) => {
      if (status !== 0) log.warn("A layer could not be made durable", { command, status })
    })
    return parsed.layer
  } catch (error) {
    if (!isKind(error, "invalid")) kill()
    throw error
  } finally {
    signal?.removeEventListener("abort", kill)
  }
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string | undefined> {
  const decoder = new TextDecoder()
  let text = ""
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true })
    const end = text.indexOf("\n")
    if (end >= 0) return text.slice(0, end)
  }
  return undefined
}

/** A function, so that the compiler does not take the first answer for the last. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true
}

function cancelled(signal: AbortSignal | undefined): DhowError {
  return new DhowError("cancelled", "Adding a layer was cancelled", { cause: signal?.reason })
}
