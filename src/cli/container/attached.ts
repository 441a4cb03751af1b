// Attaching to a container that exists: `attach`, and `start -a`.
import type { Client } from "../../client/client.ts"
import { attachContainer, resizeContainer } from "../../client/containers.ts"
import { isTerminal } from "../../lib/syscalls/terminal.ts"
import type { ContainerInspect, ContainerWaitResponse } from "../../wire/container.ts"
import { printError } from "../output.ts"
import { runSession, type SessionEnd } from "../terminal/session.ts"
import { followWindowSize, forwardSignals } from "../terminal/signals.ts"

export type AttachedOptions = {
  readonly stdin: boolean
  readonly detachKeys: string | undefined
  readonly proxySignals: boolean
}

export type Attached = {
  /** The session is over. */
  readonly end: Promise<SessionEnd>
  /** Once the container runs: gives its terminal our size. */
  followSize(): Promise<void>
  close(): void
}

export async function attachTo(
  client: Client,
  container: ContainerInspect,
  options: AttachedOptions,
): Promise<Attached> {
  const tty = container.Config.Tty === true
  const streams = {
    stdin: options.stdin && container.Config.OpenStdin === true,
    stdout: true,
    stderr: true,
    detachKeys: options.detachKeys,
  }
  const stopForwarding = options.proxySignals && !tty ? forwardSignals(client, container.Id) : () => {}
  const stream = await attachContainer(client, container.Id, { ...streams, stream: true })
  const end = runSession(stream, { ...streams, tty }).finally(stopForwarding)
  end.catch(() => {})
  return {
    end,
    async followSize() {
      if (tty && isTerminal(1)) await followWindowSize((size) => resizeContainer(client, container.Id, size))
    },
    close: () => stream.close(),
  }
}

export function exitStatus(answer: ContainerWaitResponse): number {
  if (answer.Error?.Message) {
    printError(`dhow: cannot wait for the container: ${answer.Error.Message}`)
    return 125
  }
  return answer.StatusCode
}
