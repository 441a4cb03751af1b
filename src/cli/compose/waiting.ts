// Waits until containers are as a dependency wants them: running, healthy, or ended well.

import type { Client } from "../../client/client.ts"
import { inspectContainer } from "../../client/containers.ts"
import type { Dependency } from "../../compose/model.ts"
import { DhowError } from "../../lib/errors.ts"

export type Condition = Dependency["condition"] | "running_or_healthy"

const PAUSE = 100

export type WaitOptions = {
  readonly client: Client
  /** As Date.now(); undefined waits as long as it takes. */
  readonly deadline?: number | undefined
}

/** Throws what makes it impossible. */
export async function waitUntil(
  containers: readonly { readonly id: string; readonly name: string; readonly service: string }[],
  condition: Condition,
  { client, deadline }: WaitOptions,
): Promise<void> {
  for (const container of containers)
    while (!(await holds(client, container, condition))) {
      if (deadline !== undefined && Date.now() > deadline)
        throw new DhowError("unavailable", "timeout waiting for dependencies")
      await Bun.sleep(PAUSE)
    }
}

async function holds(
  client: Client,
  { id, name, service }: { readonly id: string; readonly name: string; readonly service: string },
  condition: Condition,
): Promise<boolean> {
  const { State: state, Config: config } = await inspectContainer(client, id)
  const hasEnded = state.Status === "exited" || state.Status === "dead"
  switch (condition) {
    case "service_started":
      return true
    case "service_completed_successfully":
      if (!hasEnded) return false
      if (state.ExitCode === 0) return true
      throw new DhowError("unavailable", `service "${service}" didn't complete successfully: exit ${state.ExitCode}`)
    default: {
      if (hasEnded) throw new DhowError("unavailable", `container ${name} exited (${state.ExitCode})`)
      const test = config.Healthcheck?.Test ?? []
      const hasCheck = test.length > 0 && test[0] !== "NONE"
      if (condition === "running_or_healthy" && !hasCheck) return state.Status === "running"
      if (!hasCheck) throw new DhowError("unavailable", `container ${name} has no healthcheck configured`)
      if (state.Health?.Status === "unhealthy") throw new DhowError("unavailable", `container ${name} is unhealthy`)
      return state.Health?.Status === "healthy"
    }
  }
}
