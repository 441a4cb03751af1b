// Network namespaces as files under the exec root's netns/: created, found and destroyed. A used namespace is destroyed,
// never handed on; the kernel removes its interfaces by itself once nothing refers to it.
import { closeSync, openSync, readdirSync, readFileSync, realpathSync, statfsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { ensureDirectory, unlinkIfExists } from "../lib/files.ts"
import type { NetlinkSocket } from "../lib/netlink.ts"
import { createNetworkNamespace, MS, mount, unmount } from "../lib/syscalls/mount.ts"
import { openRouteSocket, setLoopbackUp } from "./link.ts"

const NSFS_MAGIC = 0x6e736673

export class Namespaces {
  readonly #directory: string

  constructor(execRoot: string) {
    this.#directory = join(execRoot, "netns")
  }

  path(key: string): string {
    return join(this.#directory, key)
  }

  /**
   * Makes the directory a shared mount. Mount namespaces made meanwhile (a service's, a container's while it starts)
   * copy our mounts; without sharing, such a copy would outlive our unmount and keep the namespace and its veth alive.
   */
  prepareDirectory(): void {
    ensureDirectory(this.#directory)
    if (this.#isMountPoint()) return
    mount(this.#directory, this.#directory, { flags: MS.BIND })
    mount("none", this.#directory, { flags: MS.SHARED })
  }

  /** A namespace with loopback up and IPv6 off on interfaces to come; `inside` gets a netlink socket and a descriptor of it. */
  create(key: string, inside: (inner: NetlinkSocket, namespaceFd: number) => void): void {
    const path = this.path(key)
    writeFileSync(path, "", { flag: "wx", mode: 0o444 })
    try {
      createNetworkNamespace(path, () => {
        const fd = openSync("/proc/thread-self/ns/net", "r")
        try {
          using inner = openRouteSocket()
          setLoopbackUp(inner)
          disableIpv6()
          inside(inner, fd)
        } finally {
          closeSync(fd)
        }
      })
    } catch (error) {
      this.destroy(key)
      throw error
    }
  }

  /** Whether the namespace is still there: after a reboot, or an unmount by hand, it is not. */
  exists(key: string): boolean {
    try {
      return statfsSync(this.path(key)).type === NSFS_MAGIC
    } catch {
      return false
    }
  }

  /** Fine when it is gone already. */
  destroy(key: string): void {
    unmount(this.path(key))
    unlinkIfExists(this.path(key))
  }

  keys(): string[] {
    try {
      return readdirSync(this.#directory)
    } catch {
      return []
    }
  }

  removeDirectory(): void {
    unmount(this.#directory)
  }

  #isMountPoint(): boolean {
    const directory = realpathSync(this.#directory)
    const table = readFileSync("/proc/self/mountinfo", "utf8")
    return table.split("\n").some((line) => line.split(" ")[4] === directory)
  }
}

// The default bridge has no IPv6: a link-local address would only announce what leads nowhere. Loopback keeps ::1.
function disableIpv6(): void {
  try {
    writeFileSync("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1")
  } catch {
    // A kernel without IPv6 has nothing to disable.
  }
}
