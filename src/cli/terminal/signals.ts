// Signals that reach the CLI while a container is attached go to the container; window changes resize its terminal.
import type { Client } from "../../client/client.ts"
import { killContainer, type TerminalSize } from "../../client/containers.ts"
import { windowSize } from "../../lib/syscalls/terminal.ts"

const FORWARDED = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGCONT", "SIGTSTP"] as const

/** Until the function returned is called. */
export function forwardSignals(client: Client, container: string): () => void {
  const forward = (signal: NodeJS.Signals): void => {
    // A container that has just ended cannot be told; its end is on its way to us.
    killContainer(client, container, signal.replace("SIG", "")).catch(() => {})
  }
  for (const signal of FORWARDED) process.on(signal, forward)
  return () => {
    for (const signal of FORWARDED) process.off(signal, forward)
  }
}

/** Gives the container's terminal our size, now and whenever it changes. */
export async function followWindowSize(resize: (size: TerminalSize) => Promise<unknown>): Promise<void> {
  const apply = async (): Promise<void> => {
    const size = windowSize(1) ?? windowSize(0)
    // The process may have ended already.
    if (size !== undefined) await resize(size).catch(() => {})
  }
  process.on("SIGWINCH", () => void apply())
  await apply()
}
