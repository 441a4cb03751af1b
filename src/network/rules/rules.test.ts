import { expect, test } from "bun:test"
import { plainRecord } from "../record.ts"
import { renderTable } from "./layout.ts"
import { isOld, words } from "./netavark.ts"
import { policyOf } from "./policy.ts"
import { readChanges } from "./watch.ts"

const record = (options: Record<string, string> = {}, internal = false) => ({
  ...plainRecord("bridge"),
  ...{ interface: "br-x", internal, options },
  subnets: [
    { subnet: "172.18.0.0/22", gateway: "172.18.0.1" },
    { subnet: "fd00:1::/64", gateway: "fd00:1::1" },
  ],
})
const table = (...args: Parameters<typeof record>) => renderTable(policyOf(record(...args)), "m")

test("policyOf() reads Docker's options, and takes what it does not know as usual", () => {
  const policy = policyOf(
    record({
      "com.docker.network.bridge.enable_icc": "F",
      "com.docker.network.bridge.gateway_mode_ipv6": "routed",
      "com.docker.network.bridge.gateway_mode_ipv4": "sideways",
      "com.docker.network.bridge.trusted_host_interfaces": "eth1:eth2",
      "com.docker.network.host_ipv4": "192.0.2.9",
    }),
  )
  expect(policy).toMatchObject({ icc: false, trusted: ["eth1", "eth2"], internal: false })
  expect(policy[4]).toEqual({ mode: "nat", subnets: ["172.18.0.0/22"], masquerade: true, hostAddress: "192.0.2.9" })
  expect(policy[6]).toMatchObject({ mode: "routed", masquerade: false })
})

test("renderTable() masquerades in both families, and an internal bridge in none", () => {
  expect(table()).toContain('ip saddr { 172.18.0.0/22 } oifname != "br-x" ip daddr != 224.0.0.0/4 masquerade')
  expect(table()).toContain('ip6 saddr { fd00:1::/64 } oifname != "br-x" ip6 daddr != ff00::/8 masquerade')
  expect(table({}, true)).not.toContain('oifname != "br-x" ip')
  expect(table({ "com.docker.network.bridge.enable_ip_masquerade": "false" })).not.toContain("ff00::/8")
  expect(table({ "com.docker.network.host_ipv4": "192.0.2.9" })).toContain("snat ip to 192.0.2.9")
})

test("renderTable() ends the way in with a drop, whatever is asked for", () => {
  for (const options of [{}, { "com.docker.network.bridge.gateway_mode_ipv4": "nat-unprotected" }])
    for (const internal of [true, false])
      expect(/chain inward \{[^}]*\n {4}drop\n {2}\}/.test(table(options, internal))).toBe(true)
})

test("isOld() knows the rules of an older version for a bridge, and nobody else's", () => {
  const old = (line: string) => isOld(line, "dhow0", "172.17.0.0/16")
  expect(old("-A NETAVARK_FORWARD -d 172.17.0.0/16 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT")).toBe(true)
  expect(old("-A POSTROUTING -s 172.17.0.0/16 -j NETAVARK-7116F5121DEFD")).toBe(true)
  expect(old("-A FORWARD -i dhow0 -j ACCEPT")).toBe(true)
  expect(old("-A POSTROUTING -s 172.20.0.0/16 -j NETAVARK-AEE9C15A69186")).toBe(false)
  expect(old("-A FORWARD -i dhow01 -j ACCEPT")).toBe(false)
  expect(old("-A FORWARD -s 172.17.0.0/16 -j DROP")).toBe(false)
  expect(words('-A FORWARD -m comment --comment "a b" -j X')).toEqual([
    "-A",
    "FORWARD",
    "-m",
    "comment",
    "--comment",
    "a b",
    "-j",
    "X",
  ])
})

test("readChanges() tells what went, and is not upset by what is cut off", () => {
  const name = Buffer.from("br-x\0")
  const attribute = Buffer.concat([Buffer.from([4 + name.length, 0, 1, 0]), name])
  const header = Buffer.alloc(16)
  const message = Buffer.concat([header, Buffer.from([1, 0, 0, 0]), attribute])
  message.writeUInt32LE(message.length, 0)
  message.writeUInt16LE(0xa02, 4)
  expect(readChanges(message)).toEqual([{ kind: "table-removed", table: "br-x" }])
  for (let length = 0; length < message.length; length++) expect(readChanges(message.subarray(0, length))).toEqual([])
})
