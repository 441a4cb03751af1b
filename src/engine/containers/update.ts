// `update` and `rename`: the few wishes that may change after create. Limits take effect on the running process.
import { crashpoint } from "../../lib/crashpoint.ts"
import { DhowError } from "../../lib/errors.ts"
import { runtimeResources } from "../../runtime/resources.ts"
import type { HostConfig, Resources, RestartPolicy } from "../../wire/container.ts"
import { attributesOf } from "./attributes.ts"
import { hostConfigFacts } from "./create.ts"
import { completeHostConfig } from "./host-config.ts"
import { parseName } from "./names.ts"
import type { ContainerParts } from "./parts.ts"
import { isRunning } from "./record.ts"
import { runtimeOf } from "./runtime.ts"

export async function updateContainer(
  parts: ContainerParts,
  reference: string,
  changes: Resources & { RestartPolicy?: RestartPolicy },
): Promise<{ Warnings: string[] }> {
  const { id } = parts.store.resolve(reference).record
  return await parts.locks.hold(id, async () => {
    const { record, state } = parts.store.get(id)
    const { RestartPolicy: policy, ...resources } = changes
    // Zero and absence both mean "leave it", as in Docker.
    const set = Object.fromEntries(
      Object.entries(resources).filter(
        ([, value]) => value !== null && value !== undefined && value !== 0 && value !== "",
      ),
    )
    if (policy?.Name && record.hostConfig.AutoRemove && policy.Name !== "no")
      throw new DhowError(
        "conflict",
        "Restart policy cannot be updated because AutoRemove is enabled for the container",
      )
    const wanted: HostConfig = { ...record.hostConfig, ...set, ...(policy?.Name ? { RestartPolicy: policy } : {}) }
    if (set["NanoCpus"] !== undefined && (record.hostConfig.CpuQuota || record.hostConfig.CpuPeriod))
      throw new DhowError(
        "conflict",
        "Conflicting options: Nano CPUs cannot be updated as CPU Quota/Period has already been set",
      )
    const { Memory: memory = 0, MemorySwap: swap = 0 } = wanted
    if (set["Memory"] !== undefined && set["MemorySwap"] === undefined && swap > 0 && memory > swap)
      throw new DhowError(
        "conflict",
        "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time",
      )
    const { hostConfig, warnings } = completeHostConfig(wanted, hostConfigFacts(parts), { update: true })
    if (isRunning(state) && Object.keys(set).length > 0)
      await runtimeOf(parts, { hostConfig }).update(id, runtimeResources(hostConfig))
    parts.store.amend(id, { hostConfig })
    parts.events.emit("container", "update", id, attributesOf(record))
    return { Warnings: warnings }
  })
}

export async function renameContainer(parts: ContainerParts, reference: string, text: string): Promise<void> {
  const { id } = parts.store.resolve(reference).record
  if (text === "") throw new DhowError("invalid", "Neither old nor new names may be empty")
  await parts.locks.hold(id, () => {
    const { record } = parts.store.get(id)
    const slashed = text.startsWith("/") ? text : `/${text}`
    if (`/${record.name}` === slashed)
      throw new DhowError("invalid", "Renaming a container with the same name as its current name")
    const { record: amended } = allocating(() => parts.store.amend(id, { name: parseName(slashed) }))
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
