import { expect, test } from "bun:test"
import { chooseGateways, inOrder, wayOut } from "./endpoints.ts"
import { type Network, plainRecord } from "./record.ts"

const network = (name: string, change: Partial<Network["record"]> = {}): Network => ({
  id: `id-${name}`,
  name,
  createdAt: 0,
  record: { ...plainRecord("bridge"), subnets: [{ subnet: "10.0.0.0/24", gateway: "10.0.0.1" }], ...change },
})
const both = [
  { subnet: "10.0.0.0/24", gateway: "10.0.0.1" },
  { subnet: "fd00::/64", gateway: "fd00::1" },
]
const names = (endpoints: readonly { network: Network }[]) => endpoints.map((at) => at.network.name)

test("interfaces come by priority, then those that lead out, then those with both families, then by name", () => {
  const endpoints = [
    { network: network("a", { internal: true }), settings: {} },
    { network: network("d"), settings: {} },
    { network: network("c"), settings: {} },
    { network: network("z", { subnets: both }), settings: {} },
    { network: network("y"), settings: { GwPriority: 1 } },
    { network: network("b"), settings: { GwPriority: -1 } },
  ]
  expect(names(inOrder(endpoints))).toEqual(["y", "z", "c", "d", "a", "b"])
})

test("each family leaves by the first network that has a gateway of it", () => {
  const endpoints = [
    { network: network("four"), settings: { GwPriority: 5 } },
    { network: network("six", { subnets: both }), settings: {} },
  ]
  expect(chooseGateways(endpoints)).toEqual({ 4: "id-four", 6: "id-six" })
})

test("nobody leaves by an internal network, nor by one that is isolated", () => {
  const isolated = { "com.docker.network.bridge.gateway_mode_ipv4": "isolated" }
  const endpoints = [
    { network: network("inside", { internal: true }), settings: { GwPriority: 9 } },
    { network: network("alone", { options: isolated }), settings: { GwPriority: 8 } },
  ]
  expect(chooseGateways(endpoints)).toEqual({})
})

test("a default route leads only through the endpoint that was chosen", () => {
  const settings = { Gateway: "10.0.0.1", IPv6Gateway: "fd00::1" }
  expect(wayOut({ network: "a", settings }, { 4: "a" }, 4)).toBe("10.0.0.1")
  expect(wayOut({ network: "a", settings }, { 4: "a" }, 6)).toBeUndefined()
})
