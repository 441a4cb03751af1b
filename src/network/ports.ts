// Host ports for published container ports: chosen, checked and held until their owner is released. A port is held by a
// bound socket; after a restart of the engine the sockets are bound anew, while the rules in the kernel never went away.
import { closeSync } from "node:fs"
import { DhowError, errnoName } from "../lib/errors.ts"
import { readIfExists } from "../lib/files.ts"
import { type Family, formatIp, parseIp } from "../lib/ip-address.ts"
import { log } from "../lib/log.ts"
import type { PortBinding, PortMap } from "../wire/container.ts"
import type { PortMapping } from "./contract.ts"
import { holdPort } from "./host-port.ts"
import { portHolder } from "./port-holder.ts"

type Held = { readonly mapping: PortMapping; readonly fd: number | undefined }
/** One port of a container, on addresses that get the same host port. */
type Wanted = Omit<PortMapping, "hostPort" | "hostIp"> & {
  readonly hostIps: readonly string[]
  readonly first: number
  readonly last: number
}

/** Where ports are published that name no address, by families; a family that is absent cannot be published in. */
export type Bindable = Readonly<Partial<Record<Family, string>>>

export const EVERYWHERE: Bindable = { 4: "", 6: "::" }
const IPV4_ONLY: Bindable = { 4: "" }

export type PortRequest = {
  readonly owner: string
  readonly name: string
  readonly exposed: readonly string[]
  readonly bindings: PortMap
  readonly publishAll: boolean
  /** Absent: IPv4. */
  readonly bindable?: Bindable
}

export class Ports {
  readonly #held = new Map<string, Held[]>()
  #cursor: number | undefined

  /** All that were asked for, or none: what was held for a failing request is let go. */
  choose(request: PortRequest): readonly PortMapping[] {
    this.release(request.owner)
    const held: Held[] = []
    this.#held.set(request.owner, held)
    try {
      return this.#holdAll(listWanted(request), held)
    } catch (error) {
      this.release(request.owner)
      throw notConnected(request, error)
    } finally {
      if (held.length === 0) this.#held.delete(request.owner)
    }
  }

  /** Others in the place of some that an owner holds. `undo` holds those again that were let go. */
  change(request: PortRequest & { readonly remove: readonly PortMapping[] }): {
    readonly ports: readonly PortMapping[]
    undo(): void
  } {
    const { owner, remove } = request
    const before = this.#held.get(owner) ?? []
    const leaving = before.filter(({ mapping }) => remove.some((port) => samePort(port, mapping)))
    const held = before.filter((one) => !leaving.includes(one))
    const staying = held.length
    this.#held.set(owner, held)
    for (const { fd } of leaving) if (fd !== undefined) closeSync(fd)
    const undo = (): void => {
      for (const { fd } of held.splice(staying)) if (fd !== undefined) closeSync(fd)
      this.#held.delete(owner)
      this.holdAgain(
        owner,
        leaving.map(({ mapping }) => mapping),
      )
      this.#held.set(owner, [...held, ...(this.#held.get(owner) ?? [])])
    }
    try {
      this.#holdAll(listWanted(request), held)
    } catch (error) {
      undo()
      throw notConnected(request, error)
    }
    if (held.length === 0) this.#held.delete(owner)
    return { ports: sortPorts(held.map(({ mapping }) => mapping)), undo }
  }

  /** Holds what an owner had before a restart of the engine. Another process may have been quicker: the owner keeps it. */
  holdAgain(owner: string, mappings: readonly PortMapping[]): void {
    const held = mappings.map((mapping): Held => {
      try {
        return { mapping, fd: holdPort(mapping.protocol, mapping.hostIp, mapping.hostPort) }
      } catch (error) {
        log.warn("a published port could not be held again", { owner, ...mapping, error: String(error) })
        return { mapping, fd: undefined }
      }
    })
    if (held.length > 0) this.#held.set(owner, held)
  }

  release(owner: string): void {
    const held = this.#held.get(owner) ?? []
    this.#held.delete(owner)
    for (const { fd } of held) if (fd !== undefined) closeSync(fd)
  }

  close(): void {
    for (const owner of [...this.#held.keys()]) this.release(owner)
  }

  /** Returned in the order of `wanted`; each is added to `held` at once, so that a failure can let go of those before. */
  #holdAll(wanted: readonly Wanted[], held: Held[]): readonly PortMapping[] {
    // Those that name their port come first: a free one must not be one of theirs.
    const isFixed = ({ first, last }: Wanted): boolean => first !== 0 && first === last
    const mappings = new Map<Wanted, PortMapping[]>()
    for (const one of [...wanted.filter(isFixed), ...wanted.filter((other) => !isFixed(other))]) {
      const taken = this.#hold(one)
      held.push(...taken)
      mappings.set(
        one,
        taken.map(({ mapping }) => mapping),
      )
    }
    return wanted.flatMap((one) => mappings.get(one) ?? [])
  }

  #hold(wanted: Wanted): Held[] {
    const { first, last } = wanted
    if (first !== 0 && first === last) return this.#takeAll(wanted, first)
    const range = first === 0 ? ephemeralRange() : { first, last }
    const size = range.last - range.first + 1
    // Ephemeral ports go round, beginning anywhere, so that a port rests before it is given again.
    const offset = first === 0 ? (this.#cursor ?? Math.floor(Math.random() * size)) : 0
    for (let tried = 0; tried < size; tried++) {
      const position = (offset + tried) % size
      try {
        const held = this.#takeAll(wanted, range.first + position)
        if (first === 0) this.#cursor = position + 1
        return held
      } catch (error) {
        if (!(error instanceof DhowError) || error.kind !== "conflict") throw error
      }
    }
    throw new DhowError("conflict", "all ports are allocated", {
      hint: `Ports ${range.first}-${range.last} are in use`,
    })
  }

  /** On all its addresses, or on none. */
  #takeAll({ hostIps, protocol, containerPort }: Wanted, hostPort: number): Held[] {
    const held: Held[] = []
    try {
      for (const hostIp of hostIps) held.push(this.#take({ protocol, containerPort, hostIp, hostPort }))
      return held
    } catch (error) {
      for (const { fd } of held) if (fd !== undefined) closeSync(fd)
      throw error
    }
  }

  #take(mapping: PortMapping): Held {
    const { protocol, hostIp, hostPort } = mapping
    const address = showHost(hostIp)
    const holder = this.#ownerOf(mapping)
    if (holder !== undefined)
      throw new DhowError("conflict", `Bind for ${address}:${hostPort} failed: port is already allocated`, {
        hint: `Container ${holder.slice(0, 12)} publishes it`,
      })
    try {
      return { mapping, fd: holdPort(protocol, hostIp, hostPort) }
    } catch (error) {
      const inUse = errnoName(error) === "EADDRINUSE"
      const reason =
        { EADDRINUSE: "address already in use", EADDRNOTAVAIL: "cannot assign requested address" }[
          errnoName(error) ?? ""
        ] ?? String(error)
      const process = inUse ? portHolder(protocol, hostPort) : undefined
      throw new DhowError(
        inUse ? "conflict" : "invalid",
        `failed to bind host port for ${address}:${hostPort}:${mapping.containerPort}/${protocol}: ${reason}`,
        { cause: error, ...(process === undefined ? {} : { hint: `It is in use by ${process}` }) },
      )
    }
  }

  #ownerOf(mapping: PortMapping): string | undefined {
    for (const [owner, list] of this.#held)
      for (const { mapping: other } of list)
        if (
          other.protocol === mapping.protocol &&
          other.hostPort === mapping.hostPort &&
          familyOf(other.hostIp) === familyOf(mapping.hostIp) &&
          (isAny(other.hostIp) || isAny(mapping.hostIp) || other.hostIp === mapping.hostIp)
        )
          return owner
    return undefined
  }
}

export function isAny(hostIp: string): boolean {
  return hostIp === "" || hostIp === "0.0.0.0" || hostIp === "::"
}

/** "" stands for all IPv4 addresses. */
export function familyOf(address: string): Family {
  return address.includes(":") ? 6 : 4
}

/** As Docker writes it before a port. */
function showHost(hostIp: string): string {
  if (hostIp === "") return "0.0.0.0"
  return familyOf(hostIp) === 6 ? `[${hostIp}]` : hostIp
}

/** What is to be published, in the order of the container's ports. */
export function listWanted({
  exposed,
  bindings,
  publishAll,
  bindable = IPV4_ONLY,
}: Pick<PortRequest, "exposed" | "bindings" | "publishAll" | "bindable">): Wanted[] {
  const wanted: Wanted[] = []
  const ports = new Set([...Object.keys(bindings), ...(publishAll ? exposed : [])])
  for (const text of ports) {
    const { containerPort, protocol } = parsePort(text)
    const asked = bindings[text] ?? []
    const list: readonly PortBinding[] = asked.length === 0 && publishAll ? [{}] : asked
    for (const binding of list) {
      const hostIps = hostAddresses(binding.HostIp ?? "", bindable)
      wanted.push({ protocol, containerPort, hostIps, ...parseRange(binding.HostPort ?? "") })
    }
  }
  return sortPorts(wanted)
}

/** Those that were asked for; else the usual ones: with one address chosen as usual, that alone. */
function hostAddresses(asked: string, bindable: Bindable): string[] {
  const usual = Object.values(bindable)
  // Nothing leads to a container that only has internal networks: Docker publishes nothing then.
  if (usual.length === 0) return []
  if (asked === "") {
    const chosen = usual.find((address) => !isAny(address))
    return chosen === undefined ? usual : [chosen]
  }
  const address = parseIp(asked)
  if (address === undefined) throw new DhowError("invalid", `invalid host IP address: ${asked}`)
  if (bindable[address.family] === undefined)
    throw new DhowError("invalid", `invalid host IP address: ${asked}`, {
      hint: `The container has no IPv${address.family} address that a port could lead to: its networks have none`,
    })
  return [formatIp(address)]
}

/** By container port; the bindings of one in the order in which they were asked for. */
function sortPorts<T extends Pick<PortMapping, "containerPort" | "protocol">>(ports: T[]): T[] {
  return ports.sort((a, b) => a.containerPort - b.containerPort || a.protocol.localeCompare(b.protocol))
}

export function samePort(a: PortMapping, b: PortMapping): boolean {
  return (
    a.protocol === b.protocol &&
    a.containerPort === b.containerPort &&
    a.hostPort === b.hostPort &&
    a.hostIp === b.hostIp
  )
}

function notConnected({ name, owner }: Pick<PortRequest, "name" | "owner">, error: unknown): DhowError {
  const text = error instanceof Error ? error.message : String(error)
  return new DhowError(
    error instanceof DhowError ? error.kind : "conflict",
    `driver failed programming external connectivity on endpoint ${name} (${owner}): ${text}`,
    error instanceof DhowError && error.hint !== undefined ? { hint: error.hint } : {},
  )
}

/** Throws for what is no port: asked before anything is held. */
export function checkBindings(exposed: readonly string[], bindings: PortMap): void {
  // Ranges are let through: published together, each of them is refused.
  for (const port of exposed) parsePort(port.replace(/^(\d+)-\d+/, "$1"))
  listWanted({ exposed: [], bindings, publishAll: false, bindable: EVERYWHERE })
}

/** "80/tcp", "53/udp" or "80". */
function parsePort(text: string): Pick<PortMapping, "containerPort" | "protocol"> {
  const [number = "", protocol = "tcp"] = text.split("/")
  const containerPort = Number(number)
  if (!/^\d{1,5}$/.test(number) || containerPort < 1 || containerPort > 65535)
    throw new DhowError("invalid", `invalid port specification: "${number}"`)
  if (protocol !== "tcp" && protocol !== "udp" && protocol !== "sctp")
    throw new DhowError("invalid", `invalid protocol: ${protocol}`)
  return { containerPort, protocol }
}

/** "", "0", "8080" or "8000-8010". */
function parseRange(text: string): { readonly first: number; readonly last: number } {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text === "" ? "0" : text)
  const first = Number(match?.[1] ?? Number.NaN)
  const last = Number(match?.[2] ?? first)
  if (!(first <= last && last <= 65535)) throw new DhowError("invalid", `invalid port specification: "${text}"`)
  return { first, last }
}

function ephemeralRange(): { readonly first: number; readonly last: number } {
  const [first, last] = (readIfExists("/proc/sys/net/ipv4/ip_local_port_range") ?? "").trim().split(/\s+/).map(Number)
  return first !== undefined && last !== undefined && first <= last ? { first, last } : { first: 32768, last: 60999 }
}
