// The daemon's side of changing the mounts of a running container: a process that is told step by step what to do, so that
// the row can say what is under way before it happens.
import { DhowError } from "../../lib/errors.ts"
import { ownCommand } from "../../lib/own-command.ts"
import type { LiveMountAnswer, LiveMountPlan, LiveMountRequest, LiveMountStep } from "./request.ts"

export type { LiveMountPlan, MountUser } from "./request.ts"

export type LiveMounts = AsyncDisposable & {
  /** What is there now. */
  readonly plan: LiveMountPlan
  /** Resolves when it is done; nothing of it is when it throws. */
  step(step: LiveMountStep): Promise<void>
}

export async function openLiveMounts(request: LiveMountRequest): Promise<LiveMounts> {
  const command = [...ownCommand(), "internal", "live-mounts"]
  const child = Bun.spawn(command, { stdin: "pipe", stdout: "pipe", stderr: "pipe" })
  const complaint = new Response(child.stderr).text()
  const answers = linesOf(child.stdout)
  const end = async (): Promise<void> => {
    child.kill("SIGKILL")
    await child.exited
  }
  const next = async (): Promise<LiveMountAnswer> => {
    const { value, done } = await answers.next()
    if (done === true)
      throw new DhowError("internal", `A process that changes mounts has ended with ${await child.exited}`, {
        cause: new Error((await complaint).trim()),
      })
    if ("error" in value) throw new DhowError(value.error.kind, value.error.message)
    return value
  }
  const send = (line: string): void => {
    child.stdin.write(`${line}\n`)
    child.stdin.flush()
  }
  try {
    send(JSON.stringify(request))
    const first = await next()
    if (!("plan" in first)) throw new DhowError("internal", "A process that changes mounts has said nothing")
    return {
      plan: first.plan,
      async step(step) {
        send(step)
        await next()
      },
      [Symbol.asyncDispose]: end,
    }
  } catch (error) {
    await end()
    throw error
  }
}

async function* linesOf(output: ReadableStream<Uint8Array>): AsyncGenerator<LiveMountAnswer, undefined> {
  const decoder = new TextDecoder()
  let rest = ""
  for await (const chunk of output) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n")
    rest = lines.pop() ?? ""
    for (const line of lines) yield JSON.parse(line) as LiveMountAnswer
  }
  return undefined
}
