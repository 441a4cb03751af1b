// A container that is paused while its files are read. An engine that dies in here lets it go on when it comes back.
import { log } from "../../lib/log.ts"
import type { ContainerParts } from "./parts.ts"
import { isRunning } from "./record.ts"
import { pauseContainer, unpauseContainer } from "./stop.ts"
import { describeUsers } from "./volume-users.ts"

/** All that write to a volume. */
export async function holdWritersStill(parts: ContainerParts, volume: string): Promise<AsyncDisposable> {
  await using held = new AsyncDisposableStack()
  for (const { Id, Running, ReadOnly } of describeUsers(parts, volume)) {
    const one = Running && !ReadOnly ? await holdStill(parts, Id) : undefined
    if (one !== undefined) held.use(one)
  }
  return held.move()
}

/** Undefined where it does not run, or is paused by somebody else. */
export async function holdStill(parts: ContainerParts, id: string): Promise<AsyncDisposable | undefined> {
  if (parts.store.find(id)?.state.status !== "running") return undefined
  try {
    await pauseContainer(parts, id, "committing")
  } catch (error) {
    // It ended just now: there is nothing to hold still.
    const state = parts.store.find(id)?.state
    if (state !== undefined && isRunning(state)) throw error
    return undefined
  }
  return {
    async [Symbol.asyncDispose]() {
      // Somebody may have let it go on, or killed it, meanwhile.
      if (parts.store.find(id)?.intent !== "committing") return
      await unpauseContainer(parts, id).catch((error: unknown) =>
        log.warn("A container does not go on after its files were read", { container: id, error: String(error) }),
      )
    },
  }
}
