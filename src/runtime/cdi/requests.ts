// From what a container asks for (--device vendor.com/class=name, --gpus) to the names of CDI devices.
import { DhowError } from "../../lib/errors.ts"
import type { DeviceRequest } from "../../wire/container.ts"
import type { CdiDevice, CdiDevices } from "./devices.ts"

/** What stands behind --gpus: the vendors' kinds, in order, each with the name that a request may give its driver. */
const GPUS = [
  { driver: "nvidia", kind: "nvidia.com/gpu" },
  { driver: "amd", kind: "amd.com/gpu" },
] as const

/** Throws in Docker's words for what cannot be given. */
export function requestedDevices(requests: readonly DeviceRequest[], found: CdiDevices): readonly CdiDevice[] {
  const wanted = new Set<string>()
  for (const request of requests) for (const name of namesOf(request, found)) wanted.add(name)
  const missing = [...wanted].filter((name) => !found.devices.has(name))
  if (missing.length > 0)
    throw new DhowError("invalid", `CDI device injection failed: unresolvable CDI devices ${missing.join(", ")}`, {
      hint: found.problems[0] ?? "See which there are: dhow info",
    })
  return [...wanted].map((name) => found.devices.get(name)!)
}

function namesOf(request: DeviceRequest, found: CdiDevices): readonly string[] {
  const ids = request.DeviceIDs ?? []
  const count = request.Count ?? 0
  const options = Object.keys(request.Options ?? {})
  if (request.Driver === "cdi") {
    if (count !== 0) throw new DhowError("invalid", "unexpected count in CDI device request")
    if (options.length > 0) throw new DhowError("invalid", "unexpected options in CDI device request")
    return ids
  }
  const kind = gpuKind(request, found)
  if (kind === undefined)
    throw new DhowError(
      "invalid",
      `could not select device driver "${request.Driver ?? ""}" with capabilities: ${goList(request.Capabilities ?? [])}`,
      { hint: "GPUs are found through CDI: let the vendor's tool write its specification to /etc/cdi" },
    )
  if (options.length > 0)
    throw new DhowError("invalid", `unexpected options in GPU device request: ${options.join(", ")}`)
  if (count !== 0 && ids.length > 0)
    throw new DhowError("invalid", "cannot set both Count and DeviceIDs on device request")
  if (ids.length > 0) return ids.map((id) => `${kind}=${id}`)
  if (count >= 0) return Array.from({ length: Math.min(count, 1024) }, (_, number) => `${kind}=${number}`)
  const all = `${kind}=all`
  return found.devices.has(all) ? [all] : [...found.devices.keys()].filter((name) => name.startsWith(`${kind}=`))
}

function gpuKind({ Driver: driver = "", Capabilities: capabilities }: DeviceRequest, found: CdiDevices) {
  if (!capabilities?.some((all) => all.includes("gpu"))) return undefined
  const kinds = new Set([...found.devices.values()].map(({ spec }) => spec.kind))
  return GPUS.find((gpu) => (driver === "" || driver === gpu.driver) && kinds.has(gpu.kind))?.kind
}

/** [["gpu"]] as Go prints it: [[gpu]] */
function goList(list: readonly (readonly string[])[]): string {
  return `[${list.map((inner) => `[${inner.join(" ")}]`).join(" ")}]`
}
