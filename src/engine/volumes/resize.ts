// A limit that grows. The row says so first: a crash leaves a file system that is grown before it is mounted the next time.
import { crashpoint } from "../../lib/crashpoint.ts"
import { DhowError } from "../../lib/errors.ts"
import { parseBytes } from "../../lib/size.ts"
import type { Volume } from "./record.ts"
import type { LocalVolumes } from "./volumes.ts"

export async function resizeVolume(volumes: LocalVolumes, volume: Volume, size: string): Promise<void> {
  const { name, record } = volume
  const { limit } = record
  if (limit === undefined)
    throw new DhowError("conflict", `Cannot resize volume "${name}": it was made without a size`, {
      hint: `Make one with a size, and copy: dhow volume export ${name} | dhow volume import --size ${size} NEW -`,
    })
  const bytes = parse(name, size)
  if (bytes < limit.bytes)
    throw new DhowError(
      "invalid",
      `Cannot resize volume "${name}" to ${bytes} bytes: it has ${limit.bytes}, and only grows`,
    )
  if (bytes === limit.bytes && limit.growing !== true) return
  const end = volumes.begin(volume, "resize")
  try {
    const { rows, mounts } = volumes.parts
    const grown = {
      ...record,
      options: { ...record.options, size },
      limit: { ...limit, bytes, growing: true },
    } as const
    rows.amend(volume.id, { record: grown })
    crashpoint("volume.resize:after-row")
    try {
      await mounts.grow({ ...volume, record: grown })
    } catch (error) {
      // As it was: a limit that is told and not there would be a lie.
      rows.amend(volume.id, { record })
      if (!mounts.isMounted(volume)) throw error
      throw new DhowError("conflict", `Cannot resize volume "${name}" while it is used`, {
        hint: "Not every host lets a mounted file system grow: stop the containers that use it, and try again",
        cause: error,
      })
    }
    crashpoint("volume.resize:after")
  } finally {
    end()
  }
}

function parse(name: string, size: string): number {
  try {
    return parseBytes(size)
  } catch (error) {
    throw new DhowError("invalid", `Cannot resize volume "${name}": ${error instanceof Error ? error.message : error}`)
  }
}
