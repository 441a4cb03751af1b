// Removes bridges of networks, and interfaces of namespaces, that have no row any more. For interfaces the kernel does so by itself unless something, like a container
// that mounted all of the host, still holds the namespace; its address must not answer any more then.
import { log } from "../lib/log.ts"
import { ownerMark } from "./bridge-owner.ts"
import { bridgePorts, listLinks, removeLink } from "./link.ts"
import { HOST_INTERFACE, lowerBridge } from "./native-bridge.ts"
import type { Preparation } from "./prepare.ts"
import { removeOrphanLimits } from "./rate/limits.ts"

/** Returns what was removed, in words. */
export function removeOrphanInterfaces({ host, tables }: Preparation, bridges: readonly string[]): string[] {
  const known = new Set(tables.namespaces().flatMap(({ record }) => record.endpoints.map((at) => at.hostInterface)))
  const removed: string[] = []
  for (const name of bridges.flatMap((bridge) => bridgePorts(host, bridge))) {
    if (known.has(name) || !HOST_INTERFACE.test(name)) continue
    try {
      if (removeLink(host, name)) removed.push(`interface ${name}`)
    } catch (error) {
      log.warn("interface could not be removed", { name, error: String(error) })
    }
  }
  return removed
}

/** Bridges, and parents of macvlans, that this engine made for networks which are gone: it was killed meanwhile. */
export async function removeStrayBridges({ host, tables }: Preparation, execRoot: string): Promise<string[]> {
  const known = new Set(tables.networks().map(({ record }) => record.interface))
  const removed: string[] = []
  for (const { name, alias } of listLinks(host)) {
    if (alias !== ownerMark(execRoot) || known.has(name)) continue
    try {
      await lowerBridge(host, name, { execRoot })
      removed.push(`bridge ${name}`)
    } catch (error) {
      log.warn("bridge of a network that is gone could not be removed", { name, error: String(error) })
    }
  }
  return removed
}

/** How long after a release the kernel should have removed its interfaces. */
const TIDY_MS = 3000

/** Looks, a while after a container has left, whether its interface has too; and keeps what else is to be done later. */
export class Tidying {
  readonly #parts: () => Preparation
  readonly #timers = new Set<NodeJS.Timeout>()
  #isComing = false

  constructor(parts: () => Preparation) {
    this.#parts = parts
  }

  soon(): void {
    if (this.#isComing) return
    this.#isComing = true
    this.later(TIDY_MS, () => {
      this.#isComing = false
      this.now()
    })
  }

  /** Returns what was removed, in words. */
  now(): string[] {
    const { tables, host } = this.#parts()
    const bridges = tables.networks().filter(({ record }) => record.driver === "bridge" && !record.configOnly)
    const removed = removeOrphanInterfaces(
      this.#parts(),
      bridges.map(({ record }) => record.interface),
    )
    return [...removed, ...removeOrphanLimits(host)]
  }

  later(milliseconds: number, body: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      try {
        body()
      } catch (error) {
        log.warn("networks could not be tidied", { error: String(error) })
      }
    }, milliseconds)
    timer.unref()
    this.#timers.add(timer)
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer)
  }
}
