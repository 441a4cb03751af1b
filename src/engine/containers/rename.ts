// `rename`: another name for a container, whatever it does.
import { crashpoint } from "../../lib/crashpoint.ts"
import { DhowError } from "../../lib/errors.ts"
import { attributesOf } from "./attributes.ts"
import { parseName } from "./names.ts"
import type { ContainerParts } from "./parts.ts"

export async function renameContainer(parts: ContainerParts, reference: string, text: string): Promise<void> {
  const { id } = parts.store.resolve(reference).record
  if (text === "") throw new DhowError("invalid", "Neither old nor new names may be empty")
  await parts.locks.hold(id, () => {
    const { record } = parts.store.get(id)
    const slashed = text.startsWith("/") ? text : `/${text}`
    if (`/${record.name}` === slashed)
      throw new DhowError("invalid", "Renaming a container with the same name as its current name")
    const { record: amended } = allocating(() => {
      const name = parseName(slashed)
      return parts.store.amend(id, { name }, { together: () => parts.networks.rename(id, name) })
    })
    crashpoint("container.rename:after-row")
    parts.events.emit("container", "rename", id, { ...attributesOf(amended), oldName: `/${record.name}` })
  })
}

/** In Docker's words. */
function allocating<T>(body: () => T): T {
  try {
    return body()
  } catch (error) {
    if (!(error instanceof DhowError)) throw error
    throw new DhowError(error.kind, "Error when allocating new name", { cause: error })
  }
}
