// Removes interfaces whose namespace has no row any more. The kernel does so by itself unless something, like a container
// that mounted all of the host, still holds the namespace; its address must not answer any more then.
import { log } from "../lib/log.ts"
import { bridgePorts, removeLink } from "./link.ts"
import { HOST_INTERFACE, type Preparation } from "./prepare.ts"

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
