import { expect, test } from "bun:test"
import { parseRoutes } from "./host-routes.ts"
import { chooseSubnet, formatSubnet, lastOf, macOf, overlaps, parseAddress, parseCidr } from "./subnet.ts"

test("parseCidr() keeps the address and finds its subnet", () => {
  const { address, subnet } = parseCidr("192.168.7.9/20")
  expect(address).toBe(parseAddress("192.168.7.9"))
  expect(formatSubnet(subnet)).toBe("192.168.0.0/20")
  expect(lastOf(subnet)).toBe(parseAddress("192.168.15.255"))
  expect(lastOf(parseCidr("255.255.255.255/0").subnet)).toBe(0xffffffff)
  for (const text of ["1.2.3.4", "1.2.3.4/33", "1.2.3.256/8", "x/8", "::1/64"]) expect(() => parseCidr(text)).toThrow()
})

test("chooseSubnet() passes over all that overlaps, then takes the 192.168 subnets", () => {
  const of = (...texts: string[]) => texts.map((text) => parseCidr(text).subnet)
  expect(formatSubnet(chooseSubnet([]))).toBe("172.17.0.0/16")
  expect(formatSubnet(chooseSubnet(of("172.17.3.4/32", "172.18.0.0/15")))).toBe("172.20.0.0/16")
  expect(formatSubnet(chooseSubnet(of("172.16.0.0/12", "192.168.0.0/24")))).toBe("192.168.16.0/20")
  const everywhere = Array.from({ length: 15 }, (_, index) => `172.${17 + index}.4.0/22`)
  expect(formatSubnet(chooseSubnet(of(...everywhere, "192.168.0.0/16")))).toBe("172.31.240.0/20")
  expect(() => chooseSubnet(of("0.0.0.0/0"))).toThrow("Every private subnet")
})

test("overlaps() sees containment both ways", () => {
  const [wide, narrow, other] = ["10.0.0.0/8", "10.1.0.0/16", "11.0.0.0/8"].map((text) => parseCidr(text).subnet)
  expect([overlaps(wide!, narrow!), overlaps(narrow!, wide!), overlaps(wide!, other!)]).toEqual([true, true, false])
})

test("macOf() is locally administered and says the address", () => {
  expect(macOf(parseAddress("172.17.0.10"))).toBe("02:42:ac:11:00:0a")
})

test("parseRoutes() reads the kernel's table without default routes and our own", () => {
  const table = [
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT",
    "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0",
    "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
    "dhow0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0",
    "",
  ].join("\n")
  expect(parseRoutes(table, "dhow0").map(formatSubnet)).toEqual(["192.0.2.0/24"])
})
