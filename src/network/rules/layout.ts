// The nftables rules of one bridge, as text for nft(8): one table `inet BRIDGE`. Its layout is documented in
// docs/networks.md. Pure.
import type { Family } from "../../lib/ip-address.ts"
import type { BridgePolicy } from "./policy.ts"

/** Set on packets that a bridge of ours lets through, from our forward chains to the common table's last. */
export const MARK = "0x40000000"
const UNMARK = "0xbfffffff"
export const COMMON_TABLE = "dhow-user"
/** The user's own rules. */
export const USER_CHAIN = "forward"

const LOOPBACK = { 4: "127.0.0.0/8", 6: "::1" } as const
const MULTICAST = { 4: "224.0.0.0/4", 6: "ff00::/8" } as const
const ICMP = { 4: "ip protocol icmp", 6: "ip6 nexthdr ipv6-icmp" } as const
const IP = { 4: "ip", 6: "ip6" } as const
const FAMILIES = [4, 6] as const

export type MapNames = Readonly<Record<Family, { readonly any: string; readonly at: string; readonly open: string }>>

export function mapNames(mark: string): MapNames {
  const of = (family: Family) => ({
    any: `any${family}_${mark}`,
    at: `at${family}_${mark}`,
    open: `open${family}_${mark}`,
  })
  return { 4: of(4), 6: of(6) }
}

/** Before a table that stands already: with it, it is replaced as a whole in one transaction. */
export function renderRemoval(bridge: string): string {
  return `delete table inet ${bridge}\n`
}

/**
 * The table, where there is none. Priorities lie a little before those of other tables, so that a port
 * of ours is not taken by a rule for everything, and that what we drop is dropped whatever others accept.
 */
export function renderTable(policy: BridgePolicy, mark: string): string {
  const { bridge } = policy
  const maps = mapNames(mark)
  return `table inet ${bridge} {
${FAMILIES.flatMap((family) => declarations(maps, family)).join("\n")}
  chain publish {
${FAMILIES.flatMap((family) => [
  `    dnat ${IP[family]} to ${IP[family]} daddr . meta l4proto . th dport map @${maps[family].at}`,
  `    dnat ${IP[family]} to meta l4proto . th dport map @${maps[family].any}`,
]).join("\n")}
  }
  chain prerouting {
    type nat hook prerouting priority -105; policy accept;
    ip daddr 127.0.0.0/8 return
    fib daddr type local jump publish
  }
  chain output {
    type nat hook output priority -105; policy accept;
    ip6 daddr ::1 return
    fib daddr type local jump publish
  }
  chain postrouting {
    type nat hook postrouting priority 95; policy accept;
${block(FAMILIES.flatMap((family) => sourceRules(policy, family)))}  }
  chain input {
    type filter hook input priority -10; policy accept;
${block(inputRules(policy))}  }
  chain forward {
    type filter hook forward priority -10; policy accept;
    oifname "${bridge}" jump inward
    iifname "${bridge}" oifname != "${bridge}" jump outward
  }
  chain inward {
${block(inwardRules(policy, maps))}  }
  chain outward {
    ${policy.internal ? "drop" : marked()}
  }
}
`
}

function declarations(maps: MapNames, family: Family): string[] {
  const { any, at, open } = maps[family]
  const type = `ipv${family}_addr`
  return [
    `  map ${any} { type inet_proto . inet_service : ${type} . inet_service; }`,
    `  map ${at} { type ${type} . inet_proto . inet_service : ${type} . inet_service; }`,
    `  set ${open} { type ${type} . inet_proto . inet_service; }`,
  ]
}

/** As whom packets leave: by the way out, and back to the bridge when a container or this host uses a published port. */
function sourceRules(policy: BridgePolicy, family: Family): string[] {
  const { bridge } = policy
  const { subnets, masquerade, hostAddress } = policy[family]
  if (subnets.length === 0) return []
  const ip = IP[family]
  const from = `${ip} saddr { ${subnets.join(", ")} }`
  const source = hostAddress === undefined ? "masquerade" : `snat ${ip} to ${hostAddress}`
  return [
    ...(masquerade ? [`${from} oifname != "${bridge}" ${ip} daddr != ${MULTICAST[family]} ${source}`] : []),
    `oifname "${bridge}" ct status dnat ${ip} saddr { ${[LOOPBACK[family], ...subnets].join(", ")} } masquerade`,
  ]
}

/** Keeps containers from the host's 127.0.0.1, which route_localnet would otherwise open to them. */
function inputRules({ bridge, internal, ...families }: BridgePolicy): string[] {
  const guard = [
    `iifname "${bridge}" ip daddr ${LOOPBACK[4]} ct direction reply return`,
    `iifname "${bridge}" ip daddr ${LOOPBACK[4]} drop`,
  ]
  if (!internal) return guard
  const only = (family: Family, ...others: string[]): string =>
    `iifname "${bridge}" ${IP[family]} daddr != { ${[...families[family].subnets, ...others].join(", ")} } drop`
  return [
    ...guard,
    // "255.255.255.255" for those who ask for an address by broadcast.
    only(4, MULTICAST[4], "255.255.255.255"),
    only(6, MULTICAST[6], "fe80::/10"),
  ]
}

/** What may go to containers from elsewhere: answers, and published ports. */
function inwardRules(policy: BridgePolicy, maps: MapNames): string[] {
  const { bridge, icc, internal, trusted } = policy
  const within = icc
    ? [`iifname "${bridge}" ${marked()} return`]
    : [`iifname "${bridge}" ct status dnat ${marked()} return`, `iifname "${bridge}" drop`]
  const answers = `ct state established,related ${marked()} return`
  if (internal) return [...(icc ? [] : [answers]), ...within, "drop"]
  return [
    answers,
    ...within,
    `ct status dnat ${marked()} return`,
    ...(trusted.length === 0
      ? []
      : [`iifname { ${trusted.map((name) => `"${name}"`).join(", ")} } ${marked()} return`]),
    ...FAMILIES.flatMap((family) => directRules(policy, maps, family)),
    "drop",
  ]
}

function directRules(policy: BridgePolicy, maps: MapNames, family: Family): string[] {
  const { mode } = policy[family]
  if (mode === "nat-unprotected") return [`meta nfproto ipv${family} ${marked()} return`]
  if (mode !== "routed") return []
  return [
    `${IP[family]} daddr . meta l4proto . th dport @${maps[family].open} ${marked()} return`,
    `${ICMP[family]} ${marked()} return`,
  ]
}

/**
 * One for all bridges of this host, whosever they are: the user's chain, which sees what they let through before it gets
 * anywhere. Written again at any time, it leaves the user's rules as they are.
 */
export function renderCommonTable(): string {
  return `table inet ${COMMON_TABLE} {
  chain ${USER_CHAIN} { }
  chain before-others { type filter hook forward priority -5; policy accept; }
  chain unmark { type filter hook postrouting priority -150; policy accept; }
}
flush chain inet ${COMMON_TABLE} before-others
flush chain inet ${COMMON_TABLE} unmark
table inet ${COMMON_TABLE} {
  chain before-others { meta mark & ${MARK} != 0 jump ${USER_CHAIN}; }
  chain unmark { meta mark & ${MARK} != 0 meta mark set meta mark & ${UNMARK}; }
}
`
}

function marked(): string {
  return `meta mark set meta mark | ${MARK}`
}

function block(rules: readonly string[]): string {
  return rules.map((rule) => `    ${rule}\n`).join("")
}
