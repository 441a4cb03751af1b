// The OCI runtime of a container: what was asked for, or the daemon's.
import type { Runtime } from "../../runtime/contract.ts"
import type { ContainerParts } from "./parts.ts"
import type { ContainerRecord } from "./record.ts"

export function runtimeOf(parts: ContainerParts, { hostConfig }: Pick<ContainerRecord, "hostConfig">): Runtime {
  return parts.runtime(hostConfig.Runtime ?? parts.config.defaultRuntime)
}
