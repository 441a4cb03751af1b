// What others do to rules and addresses of this host, as the kernel tells it: no polling, and nothing is heard of what
// happens in containers. Told too much at once, the kernel drops messages; all may have changed then.
import { closeSync } from "node:fs"
import { formatIp } from "../../lib/ip-address.ts"
import { log } from "../../lib/log.ts"
import { NETLINK_NETFILTER, NETLINK_ROUTE, readAttributes, splitMessages } from "../../lib/netlink.ts"
import { check, libc } from "../../lib/syscalls/libc.ts"

const AF_NETLINK = 16
const SOCK_RAW_CLOEXEC_NONBLOCK = 3 | 0o2000000 | 0o4000
/** One bit per group: NFNLGRP_NFTABLES; RTNLGRP_IPV4_IFADDR and RTNLGRP_IPV6_IFADDR. */
const GROUPS = { [NETLINK_NETFILTER]: 1 << 6, [NETLINK_ROUTE]: (1 << 4) | (1 << 8) } as const
const NFT = { DELTABLE: 0xa02, NEWCHAIN: 0xa03, DELCHAIN: 0xa05, DELRULE: 0xa08 } as const
/** NFTA_TABLE_NAME, NFTA_CHAIN_TABLE and NFTA_RULE_TABLE are all the first. */
const NFTA_TABLE = 1
const RTM_DELADDR = 21
const IFA = { ADDRESS: 1, LOCAL: 2 } as const

export type HostChange =
  | { readonly kind: "table-removed"; readonly table: string }
  /** Rules or chains of a table that may still be there. */
  | { readonly kind: "rules-removed"; readonly table: string }
  | { readonly kind: "chain-changed"; readonly table: string }
  | { readonly kind: "address-removed"; readonly address: string }
  | { readonly kind: "unknown" }

/** Calls `on` for every change until it is disposed of. */
export async function watchHost(on: (change: HostChange) => void): Promise<AsyncDisposable> {
  const watches: Watch[] = []
  const stop = (): void => {
    for (const watch of watches) watch.stop()
  }
  try {
    for (const protocol of [NETLINK_NETFILTER, NETLINK_ROUTE] as const) {
      const watch = new Watch(protocol, on)
      watches.push(watch)
      await watch.start()
    }
  } catch (error) {
    stop()
    throw error
  }
  return { [Symbol.asyncDispose]: async () => stop() }
}

type Connection = { end(): void }

class Watch {
  readonly #protocol: keyof typeof GROUPS
  readonly #on: (change: HostChange) => void
  #connection: Connection | undefined
  #stopped = false

  constructor(protocol: keyof typeof GROUPS, on: (change: HostChange) => void) {
    this.#protocol = protocol
    this.#on = on
  }

  async start(): Promise<void> {
    const fd = subscribe(this.#protocol)
    const socket = {
      data: (_: unknown, bytes: Buffer) => {
        if (!this.#stopped) for (const change of readChanges(bytes)) this.#on(change)
      },
      close: () => this.#again(),
      error: () => {},
    }
    // The types do not name `fd`; see src/lib/syscalls/seqpacket.ts.
    const options = { fd, socket } as unknown as Parameters<typeof Bun.connect>[0]
    this.#connection = await Bun.connect(options)
    if (this.#stopped) this.#connection.end()
  }

  stop(): void {
    this.#stopped = true
    this.#connection?.end()
  }

  #again(): void {
    if (this.#stopped) return
    this.start()
      .then(() => this.#on({ kind: "unknown" }))
      .catch((error: unknown) => log.warn("changes of the host's firewall go unnoticed", { error: String(error) }))
  }
}

function subscribe(protocol: keyof typeof GROUPS): number {
  const fd = check(libc().socket(AF_NETLINK, SOCK_RAW_CLOEXEC_NONBLOCK, protocol), "socket")
  // struct sockaddr_nl
  const name = Buffer.alloc(12)
  name.writeUInt16LE(AF_NETLINK, 0)
  name.writeUInt32LE(GROUPS[protocol], 8)
  try {
    check(libc().bind(fd, name, name.length), "bind")
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** Pure. */
export function readChanges(bytes: Buffer): HostChange[] {
  return [...splitMessages(bytes)].flatMap(({ type, body }): HostChange[] => {
    if (type === RTM_DELADDR) {
      const attributes = readAttributes(body.subarray(8))
      const address = attributes.get(IFA.LOCAL) ?? attributes.get(IFA.ADDRESS)
      if (address?.length !== 4 && address?.length !== 16) return []
      const value = BigInt(`0x${address.toString("hex")}`)
      return [{ kind: "address-removed", address: formatIp({ family: address.length === 4 ? 4 : 6, value }) }]
    }
    const table = (): string => {
      const name = readAttributes(body.subarray(4)).get(NFTA_TABLE)
      return name === undefined ? "" : name.toString().replace(/\0.*$/s, "")
    }
    if (type === NFT.DELTABLE) return [{ kind: "table-removed", table: table() }]
    if (type === NFT.DELCHAIN || type === NFT.DELRULE) return [{ kind: "rules-removed", table: table() }]
    return type === NFT.NEWCHAIN ? [{ kind: "chain-changed", table: table() }] : []
  })
}
