// Runs an OCI runtime's program to its end. Its output is bounded: it repeats what containers say.
import { DhowError } from "../lib/errors.ts"

const OUTPUT_LIMIT = 64 * 1024
/** No verb run here waits for a container; one that takes this long is stuck. */
const TIME_LIMIT_MS = 30_000

export type Outcome = { readonly exitCode: number; readonly stdout: string; readonly stderr: string }

export async function invoke(path: string, args: readonly string[]): Promise<Outcome> {
  let child: ReturnType<typeof spawn>
  try {
    child = spawn(path, args)
  } catch (cause) {
    throw new DhowError("unavailable", `Cannot run the OCI runtime "${path}"`, { cause })
  }
  const timer = setTimeout(() => child.kill("SIGKILL"), TIME_LIMIT_MS)
  try {
    const [stdout, stderr, exitCode] = await Promise.all([bounded(child.stdout), bounded(child.stderr), child.exited])
    return { exitCode, stdout, stderr }
  } finally {
    clearTimeout(timer)
  }
}

function spawn(path: string, args: readonly string[]): Bun.Subprocess<"ignore", "pipe", "pipe"> {
  return Bun.spawn([path, ...args], { stdin: "ignore", stdout: "pipe", stderr: "pipe" })
}

async function bounded(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder()
  let text = ""
  for await (const chunk of stream) if (text.length < OUTPUT_LIMIT) text += decoder.decode(chunk, { stream: true })
  return text.slice(0, OUTPUT_LIMIT)
}
