// Which other servers a container's names are asked of, and from where: those of the host's resolv.conf from the host's
// network, those that a container names itself from its own, as in Docker.
import { statSync } from "node:fs"
import { hostResolvConf, parseResolvConf } from "../files.ts"
import { RESOLVER_ADDRESS } from "./contract.ts"
import type { Server } from "./upstream.ts"

/** The second is what systemd's stub asks. */
const FILES = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"]

/** The host's servers, read again when their file has changed. */
export class HostServers {
  readonly #changed: () => void
  #mark = ""
  #servers: readonly Server[] = []

  constructor(changed: () => void = () => {}) {
    this.#changed = changed
  }

  get(): readonly Server[] {
    const mark = FILES.map(fileMark).join()
    if (mark === this.#mark) return this.#servers
    const isFirst = this.#mark === ""
    this.#mark = mark
    this.#servers = usable(parseResolvConf(hostResolvConf("bridge")).nameservers).map((address) => ({
      address,
      text: `host(${address})`,
      from: undefined,
      place: "host",
    }))
    if (!isFirst) this.#changed()
    return this.#servers
  }
}

function fileMark(path: string): string {
  try {
    const { mtimeMs, ino, size } = statSync(path)
    return `${mtimeMs} ${ino} ${size}`
  } catch {
    return "none"
  }
}

export function ownServers(addresses: readonly string[], key: string, fd: number): readonly Server[] {
  return usable(addresses).map((address) => ({ address, text: address, from: fd, place: key }))
}

/** We are no server to ask. */
function usable(addresses: readonly string[]): string[] {
  return addresses.filter((address) => address !== RESOLVER_ADDRESS)
}
