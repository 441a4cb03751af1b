// "service:NAME" and volumes of other services, as the containers that they mean. The hash is made of this form: a
// container that shares something of another is made again when that one is.
import { DhowError } from "../lib/errors.ts"
import type { Service } from "./model.ts"

/** undefined: it has none. */
export type ContainerOf = (service: string) => string | undefined

export function resolveReferences(service: Service, containerOf: ContainerOf): Service {
  const found = (name: string, what: string): string => {
    const id = containerOf(name)
    if (id !== undefined) return id
    throw new DhowError("conflict", `cannot share ${what} with service ${name}: container missing`)
  }
  const shared = (mode: string | undefined, what: string): string | undefined =>
    mode?.startsWith("service:") ? `container:${found(mode.slice("service:".length), what)}` : mode
  const resolved: { -readonly [Name in "network_mode" | "ipc" | "pid" | "volumes_from"]?: Service[Name] } = {}
  if (service.network_mode !== undefined) resolved.network_mode = shared(service.network_mode, "network namespace")!
  if (service.ipc !== undefined) resolved.ipc = shared(service.ipc, "IPC namespace")!
  if (service.pid !== undefined) resolved.pid = shared(service.pid, "PID namespace")!
  if (service.volumes_from !== undefined)
    resolved.volumes_from = service.volumes_from.map((from) => {
      const [name = "", ...rest] = from.split(":")
      return name === "container" ? rest.join(":") : [found(name, "volume"), ...rest].join(":")
    })
  return { ...service, ...(resolved as Partial<Service>) }
}
