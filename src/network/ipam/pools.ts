// Which subnet a network gets that asks for none: the first that collides with nothing on the host. Pure.
import { createHash } from "node:crypto"
import { DhowError } from "../../lib/errors.ts"
import { type Family, formatPrefix, overlaps, type Prefix, parsePrefix, sizeOf } from "../../lib/ip-address.ts"

/** A range that is cut into subnets of `size` bits. */
export type AddressPool = { readonly base: Prefix; readonly size: number }

const ULA_BITS = 48
const IPV6_SUBNET_BITS = 64
/** Of one pool no more are looked at: a /48 has 65,536 subnets, a user's pool may have 2^64. */
const CANDIDATES = 65_536

/**
 * Docker's ranges, cut finer: about 900 networks of a thousand containers, where Docker has 31. The home networks'
 * 192.168.0.0/20 is left out.
 */
export const DEFAULT_POOLS: readonly AddressPool[] = [
  ...["172.18.0.0/15", "172.20.0.0/14", "172.24.0.0/14", "172.28.0.0/14"].map((text) => poolOf(text, 22)),
  ...["192.168.128.0/17", "192.168.64.0/18", "192.168.32.0/19", "192.168.16.0/20"].map((text) => poolOf(text, 24)),
]

export function poolOf(base: string, size: number): AddressPool {
  const prefix = parsePrefix(base)?.prefix
  if (prefix === undefined) throw new DhowError("invalid", `invalid address pool "${base}"`)
  const bits = prefix.family === 4 ? 32 : 128
  if (!Number.isInteger(size) || size < prefix.length || size > bits)
    throw new DhowError(
      "invalid",
      `invalid address pool "${base}": size ${size} is not between ${prefix.length} and ${bits}`,
    )
  return { base: prefix, size }
}

/** Unique local subnets (RFC 4193) of this host: two hosts that meet by a VPN should not have the same. */
export function uniqueLocalPool(hostId: string): AddressPool {
  const digest = createHash("sha256").update(`dhow network ${hostId}`).digest()
  const base = (0xfdn << 120n) | ((digest.readBigUInt64BE(0) >> 24n) << 80n)
  return { base: { family: 6, base, length: ULA_BITS }, size: IPV6_SUBNET_BITS }
}

export function choosePool(
  family: Family,
  { pools, occupied }: { readonly pools: readonly AddressPool[]; readonly occupied: readonly Prefix[] },
): Prefix {
  const rivals = occupied.filter((other) => other.family === family)
  for (const { base, size } of pools) {
    if (base.family !== family) continue
    const step = sizeOf({ ...base, length: size })
    const near = rivals.filter((other) => overlaps(base, other))
    const end = base.base + sizeOf(base)
    for (let at = base.base, tried = 0; at < end && tried < CANDIDATES; at += step, tried++) {
      const candidate: Prefix = { family, base: at, length: size }
      if (!near.some((other) => overlaps(candidate, other))) return candidate
    }
  }
  throw new DhowError("invalid", "all predefined address pools have been fully subnetted", {
    hint: `Name a subnet with --subnet, or remove unused networks: dhow network prune${describe(pools)}`,
  })
}

function describe(pools: readonly AddressPool[]): string {
  return pools.length === 0 ? "" : `; the pools are ${pools.map(({ base }) => formatPrefix(base)).join(", ")}`
}
