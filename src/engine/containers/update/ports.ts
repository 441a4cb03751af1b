// What a container publishes, after ports were added and taken away. Pure.
import { DhowError } from "../../../lib/errors.ts"
import type { PortMapping } from "../../../network/contract.ts"
import type { PortBinding, PortMap } from "../../../wire/container.ts"

export type PortsAfter = {
  readonly bindings: PortMap
  /** Of what is published now: what goes. */
  readonly remove: readonly PortMapping[]
  readonly add: PortMap
}

export type PortsBefore = {
  readonly name: string
  readonly bindings: PortMap
  readonly publishAll: boolean
  /** What is published now, by container port in the order of its bindings; none where it does not run. */
  readonly published: readonly PortMapping[]
}

export function changeBindings(before: PortsBefore, add: PortMap, remove: PortMap): PortsAfter {
  const bindings: PortMap = {}
  for (const [port, list] of Object.entries(before.bindings)) bindings[portName(port)] = [...(list ?? [])]
  const gone: PortMapping[] = []
  for (const [text, asked] of Object.entries(remove)) {
    const port = portName(text)
    const published = before.published.filter(({ containerPort, protocol }) => `${containerPort}/${protocol}` === port)
    const there = bindings[port] ?? []
    if (there.length === 0) throw notPublished(before, port)
    const chosen = there.flatMap((binding, at) =>
      !asked?.length || asked.some((wanted) => matches(wanted, binding, published[at])) ? [at] : [],
    )
    if (chosen.length === 0) throw notPublished(before, port, asked?.[0])
    gone.push(...published.filter((_, at) => chosen.includes(at)))
    const left = there.filter((_, at) => !chosen.includes(at))
    if (left.length === 0) delete bindings[port]
    else bindings[port] = left
  }
  const added: PortMap = {}
  for (const [text, list] of Object.entries(add)) {
    const port = portName(text)
    const wanted: PortBinding[] = list?.length ? list : [{ HostIp: "", HostPort: "" }]
    added[port] = [...(added[port] ?? []), ...wanted]
    bindings[port] = [...(bindings[port] ?? []), ...wanted]
  }
  return { bindings, remove: gone, add: added }
}

/** "80" is "80/tcp". */
function portName(text: string): string {
  return text.includes("/") ? text : `${text}/tcp`
}

/** By what was asked for, or by what the engine chose. */
function matches(wanted: PortBinding, binding: PortBinding, mapping: PortMapping | undefined): boolean {
  const address = (text: string | undefined): string => (text === undefined || text === "0.0.0.0" ? "" : text)
  const port = wanted.HostPort ?? ""
  if (wanted.HostIp && address(wanted.HostIp) !== address(binding.HostIp)) return false
  return port === "" || port === binding.HostPort || port === String(mapping?.hostPort ?? "")
}

function notPublished({ name, publishAll }: PortsBefore, port: string, binding?: PortBinding): DhowError {
  const where = binding === undefined ? "" : ` at ${binding.HostIp || "0.0.0.0"}:${binding.HostPort ?? ""}`
  return new DhowError("invalid", `Port ${port} of container "${name}" is not published${where}`, {
    ...(publishAll ? { hint: "What --publish-all publishes cannot be taken away one by one" } : {}),
  })
}
