// --publish and --expose: [[IP:]HOST[-RANGE]:]CONTAINER[-RANGE][/PROTOCOL], and published=…,target=… .
import { isIP } from "node:net"
import type { PortMap } from "../../wire/container.ts"
import { cut } from "../flags/csv.ts"

export type PortSpecs = { exposed: Record<string, Record<string, never>>; bindings: PortMap }

export function parsePublished(specs: readonly string[]): PortSpecs {
  const result: PortSpecs = { exposed: {}, bindings: {} }
  for (const spec of specs.map(standardNotation)) {
    for (const { port, hostIp, hostPort } of parsePortSpec(spec)) {
      result.exposed[port] = {}
      let bound = result.bindings[port]
      if (bound === undefined || bound === null) {
        bound = []
        result.bindings[port] = bound
      }
      bound.push({ HostIp: hostIp, HostPort: hostPort })
    }
  }
  return result
}

function standardNotation(text: string): string {
  if (!text.includes("=")) return text
  const given: Record<string, string> = { protocol: "tcp" }
  for (const part of text.split(",")) {
    const [name, value] = cut(part, "=")
    if (value === undefined || name === "")
      throw new Error(`invalid publish opts format (should be name=value but got '${part}')`)
    given[name] = value
  }
  return `${given["published"] ?? ""}:${given["target"] ?? ""}/${given["protocol"]}`
}

type PortBindingSpec = { readonly port: string; readonly hostIp: string; readonly hostPort: string }

function parsePortSpec(text: string): PortBindingSpec[] {
  const parts = text.split(":")
  const containerPart = parts.at(-1)!
  const hostPart = parts.length > 1 ? parts.at(-2)! : ""
  let hostIp = parts.slice(0, -2).join(":")
  const [containerPort, protocolGiven] = cut(containerPart, "/")
  if (containerPort === "") throw new Error(`no port specified: ${text}<empty>`)
  const protocol = (protocolGiven || "tcp").toLowerCase()
  if (!["tcp", "udp", "sctp"].includes(protocol)) throw new Error(`invalid proto: ${protocol}`)
  if (hostIp.startsWith("[") && hostIp.endsWith("]")) hostIp = hostIp.slice(1, -1)
  if (hostIp !== "" && isIP(hostIp) === 0) throw new Error(`invalid IP address: ${hostIp}`)
  const [first, last] = portRange(containerPort, `invalid containerPort: ${containerPort}`)
  const count = last - first + 1
  const host = hostPart === "" ? undefined : portRange(hostPart, `invalid hostPort: ${hostPart}`)
  if (host !== undefined && host[1] - host[0] !== last - first && last !== first)
    throw new Error(`invalid ranges specified for container and host Ports: ${containerPort} and ${hostPart}`)
  const bindings: PortBindingSpec[] = []
  for (let index = 0; index < count; index++) {
    let hostPort = host === undefined ? "" : String(host[0] + index)
    // One container port for a range of host ports: the engine chooses one of them.
    if (host !== undefined && count === 1 && host[0] !== host[1]) hostPort += `-${host[1]}`
    bindings.push({ port: `${first + index}/${protocol}`, hostIp, hostPort })
  }
  return bindings
}

function portRange(text: string, complaint: string): [number, number] {
  const [from, to] = text.split("-")
  const first = portNumber(from, complaint)
  const last = to === undefined ? first : portNumber(to, complaint)
  if (last < first) throw new Error(complaint)
  return [first, last]
}

function portNumber(text: string | undefined, complaint: string): number {
  if (text === undefined || !/^\d{1,5}$/.test(text) || Number(text) > 65535) throw new Error(complaint)
  return Number(text)
}

/** Adds --expose's ports ("80", "80/udp", "8000-8010") to the exposed ones. */
export function addExposed(exposed: Record<string, Record<string, never>>, specs: readonly string[]): void {
  for (const spec of specs) {
    if (spec.includes(":")) throw new Error(`invalid port format for --expose: ${spec}`)
    const [ports, protocol] = cut(spec, "/")
    const [first, last] = portRange(ports, `invalid range format for --expose: ${spec}`)
    for (let port = first; port <= last; port++) exposed[`${port}/${protocol || "tcp"}`] = {}
  }
}
