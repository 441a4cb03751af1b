// A stop or a restart that an engine did not live to finish: the row says what was wished and until when the process was
// given time, and the next engine sees to it.
import { log } from "../../lib/log.ts"
import { attributesOf } from "./attributes.ts"
import type { ContainerParts } from "./parts.ts"
import { type Container, isRunning, type StopOrder } from "./record.ts"
import { startContainer } from "./start.ts"
import { finishStop } from "./stop.ts"

/** Goes on with the stop of a container that was just adopted, behind the boot. */
export function resumeStop(parts: ContainerParts, { record }: Pick<Container, "record">, stop: StopOrder): void {
  const { id } = record
  log.info("Goes on with a stop that an earlier engine did not finish", { container: id, name: record.name })
  const live = parts.live.of(id)
  if (stop.restarts) live.restarting++
  const finished = parts.booted.promise.then(async () => {
    try {
      await finishStop(parts, id)
    } finally {
      if (stop.restarts) live.restarting--
    }
    await resumeRestart(parts, id)
  })
  parts.background.add(finished)
}

/** Starts a container again whose restart came as far as its stop. */
export async function resumeRestart(parts: ContainerParts, id: string): Promise<void> {
  const container = parts.store.find(id)
  if (container === undefined || container.intent !== "restarting" || isRunning(container.state)) return
  log.info("Goes on with a restart that an earlier engine did not finish", { container: id })
  await startContainer(parts, id)
  parts.events.emit("container", "restart", id, attributesOf(container.record))
}
