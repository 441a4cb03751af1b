// Blocks of addresses in CIDR notation, and whether a host lies in one.
import { lookup } from "node:dns/promises"
import { BlockList, isIP } from "node:net"

/** `host` is an address: names lie nowhere by themselves. */
export function inBlock(entry: string, host: string): boolean {
  const [network = "", bits = ""] = entry.split("/")
  const family = isIP(network)
  if (family === 0 || family !== isIP(host) || !/^\d{1,3}$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128))
    return false
  const type = family === 4 ? "ipv4" : "ipv6"
  const block = new BlockList()
  block.addSubnet(network, Number(bits), type)
  return block.check(host, type)
}

/** Any of the host's addresses in any of the blocks, as dockerd reads "insecure-registries". */
export async function liesIn(blocks: readonly string[], host: string): Promise<boolean> {
  const name = host.replace(/:\d+$/, "").replace(/^\[|\]$/g, "")
  if (isIP(name) !== 0) return blocks.some((block) => inBlock(block, name))
  try {
    const found = await lookup(name, { all: true })
    return found.some(({ address }) => blocks.some((block) => inBlock(block, address)))
  } catch {
    // Who cannot be found is told so when it is spoken to.
    return false
  }
}
