import { expect, test } from "bun:test"
import type { NetworkInspect } from "../wire/system.ts"
import { type MappedContainer, networkMap } from "./network-map.ts"

const network = (Name: string, change: Partial<NetworkInspect> = {}): NetworkInspect => ({
  Name,
  Id: `id of ${Name}`,
  Created: "",
  Scope: "local",
  Driver: "bridge",
  EnableIPv4: true,
  EnableIPv6: false,
  IPAM: { Driver: "default", Options: null, Config: [{ Subnet: "10.0.0.0/24" }] },
  Internal: false,
  Attachable: false,
  Ingress: false,
  ConfigFrom: { Network: "" },
  ConfigOnly: false,
  Containers: {},
  Options: {},
  Labels: {},
  ...change,
})
const container = (
  name: string,
  networks: readonly string[],
  ports: MappedContainer["ports"] = {},
): MappedContainer => ({
  id: `id of ${name}`,
  name,
  endpoints: Object.fromEntries(networks.map((on) => [on, { IPAddress: "10.0.0.2", DNSNames: [name, "alias"] }])),
  ports,
})

test("who is on a network together reaches one another, each pair told once with all its networks", () => {
  const map = networkMap(
    [network("a"), network("b"), network("c")],
    [container("web", ["a", "b"]), container("db", ["b", "a"]), container("alone", ["c"])],
  )
  expect(map.Reaches).toEqual([{ From: "db", To: "web", Networks: ["a", "b"] }])
  expect(map.Networks[0]?.Containers.map(({ Name, Names }) => [Name, Names])).toEqual([
    ["db", ["db", "alias"]],
    ["web", ["web", "alias"]],
  ])
})

test("containers kept apart do not reach one another", () => {
  const apart = network("apart", { Options: { "com.docker.network.bridge.enable_icc": "false" } })
  const map = networkMap([apart], [container("x", ["apart"]), container("y", ["apart"])])
  expect([map.Networks[0]?.Together, map.Reaches]).toEqual([false, []])
})

test.each([
  ["masqueraded", {}],
  ["", { Internal: true }],
  ["wire", { Driver: "macvlan" }],
  ["host", { Driver: "host" }],
  ["routed", { Options: { "com.docker.network.bridge.gateway_mode_ipv4": "routed" } }],
  ["routed", { Options: { "com.docker.network.bridge.enable_ip_masquerade": "false" } }],
  ["", { Options: { "com.docker.network.bridge.gateway_mode_ipv4": "isolated" } }],
] as const)("the way out is %p of %p", (out, change) => {
  expect(networkMap([network("n", change)], []).Networks[0]?.Out).toBe(out)
})

test("a port on a loopback address is this host's alone", () => {
  const ports = {
    "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "8080" }],
    "81/tcp": [{ HostIp: "::", HostPort: "81" }],
    "82/tcp": [],
  }
  expect(networkMap([], [container("web", [], ports)]).Ports.map(({ Port, From }) => [Port, From])).toEqual([
    ["80/tcp", "this host"],
    ["81/tcp", "everywhere"],
  ])
})
