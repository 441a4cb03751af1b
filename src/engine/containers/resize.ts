// The size of a container's terminal.
import { attributesOf } from "./attributes.ts"
import type { ContainerParts } from "./parts.ts"
import { isRunning } from "./record.ts"
import { notRunning } from "./stop.ts"

export async function resizeContainer(
  parts: ContainerParts,
  reference: string,
  size: { readonly height: number; readonly width: number },
): Promise<void> {
  const { record, state } = parts.store.resolve(reference)
  const { id } = record
  if (!isRunning(state)) throw notRunning(id)
  parts.live.of(id).monitor?.resize(size.height, size.width)
  const [height, width] = [String(size.height), String(size.width)]
  parts.events.emit("container", "resize", id, attributesOf(record, { height, width }))
}
