// The engine's side: one request, one process, one limit of time. Whoever does not answer within it is killed and left to
// the kernel, and the caller goes on.
import { DhowError } from "../lib/errors.ts"
import { helperEnvironment } from "../lib/helper-environment.ts"
import type { VolumeAnswer, VolumeRequest } from "./request.ts"

export type Asked = {
  /** Milliseconds. */
  readonly limit: number
  /** Called when a process that was given up has ended after all: what it did may have been done. */
  readonly late?: () => void
}

/** Thrown where the limit was reached. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer"
}

export async function askVolume<T>(
  internalCommand: readonly string[],
  request: VolumeRequest,
  { limit, late }: Asked,
): Promise<T> {
  const child = Bun.spawn([...internalCommand, "volume", JSON.stringify(request)], {
    env: helperEnvironment(),
    stdio: ["ignore", "pipe", "pipe"],
  })
  const text = new Response(child.stdout).text()
  const complaint = new Response(child.stderr).text()
  const expired = Promise.withResolvers<"expired">()
  const timer = setTimeout(() => expired.resolve("expired"), limit)
  try {
    const ended = await Promise.race([child.exited.then(() => "ended" as const), expired.promise])
    if (ended === "expired") {
      child.kill("SIGKILL")
      child.unref()
      if (late !== undefined) void child.exited.then(late)
      throw new NoAnswer(`no answer within ${limit / 1000} s`)
    }
  } finally {
    clearTimeout(timer)
  }
  return read<T>(await text, await complaint)
}

function read<T>(text: string, complaint: string): T {
  let answer: VolumeAnswer
  try {
    answer = JSON.parse(text) as VolumeAnswer
  } catch (cause) {
    throw new DhowError("internal", `A process that works on volumes has ended: ${complaint.trim()}`, { cause })
  }
  if ("done" in answer) return answer.done as T
  const { kind, message, hint } = answer.error
  throw new DhowError(kind, message, hint === undefined ? {} : { hint })
}
