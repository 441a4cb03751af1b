import { describe, expect, test } from "bun:test"
import {
  contains,
  formatIp,
  formatPrefix,
  lastOf,
  macOf,
  overlaps,
  parseIp,
  parsePrefix,
  sizeOf,
} from "./ip-address.ts"

const ip = (text: string) => {
  const address = parseIp(text)
  if (address === undefined) throw new Error(text)
  return address
}
const prefix = (text: string) => {
  const parsed = parsePrefix(text)
  if (parsed === undefined) throw new Error(text)
  return parsed.prefix
}

describe("addresses", () => {
  for (const [text, canonical] of [
    ["172.17.0.1", "172.17.0.1"],
    ["255.255.255.255", "255.255.255.255"],
    ["::", "::"],
    ["::1", "::1"],
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["fd00::", "fd00::"],
    ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ["::ffff:10.0.0.1", "10.0.0.1"],
  ] as const)
    test(`${text} is written ${canonical}`, () => expect(formatIp(ip(text))).toBe(canonical))

  for (const text of ["", "1.2.3", "1.2.3.256", "01.2.3.4", "fe80::1%eth0", "1::2::3", "g::"])
    test(`"${text}" is none`, () => expect(parseIp(text)).toBeUndefined())

  test("come with a MAC of their own", () => {
    expect(macOf(ip("172.17.0.2"))).toBe("02:42:ac:11:00:02")
    expect(macOf(ip("fd00::1:2"))).toBe("02:42:00:01:00:02")
  })
})

describe("prefixes", () => {
  test("are cut to their length, and the address is kept", () => {
    const parsed = parsePrefix("10.1.2.3/8")
    expect(parsed?.prefix && formatPrefix(parsed.prefix)).toBe("10.0.0.0/8")
    expect(parsed && formatIp(parsed.address)).toBe("10.1.2.3")
    expect(formatPrefix(prefix("fd00:1:2:3:4::/64"))).toBe("fd00:1:2:3::/64")
  })

  for (const text of ["10.0.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/08", "/8", "10.0.0.0/-1"])
    test(`"${text}" is none`, () => expect(parsePrefix(text)).toBeUndefined())

  test("know what lies in them", () => {
    expect(sizeOf(prefix("10.0.0.0/30"))).toBe(4n)
    expect(sizeOf(prefix("::/0"))).toBe(1n << 128n)
    expect(contains(prefix("10.0.0.0/30"), ip("10.0.0.3"))).toBe(true)
    expect(contains(prefix("10.0.0.0/30"), ip("10.0.0.4"))).toBe(false)
    expect(contains(prefix("::/0"), ip("10.0.0.4"))).toBe(false)
    expect(lastOf(prefix("fd00::/64"))).toBe(ip("fd00::ffff:ffff:ffff:ffff").value)
  })

  test("overlap where one holds the other", () => {
    expect(overlaps(prefix("10.0.0.0/8"), prefix("10.4.0.0/16"))).toBe(true)
    expect(overlaps(prefix("10.4.0.0/16"), prefix("10.0.0.0/8"))).toBe(true)
    expect(overlaps(prefix("10.4.0.0/16"), prefix("10.5.0.0/16"))).toBe(false)
    expect(overlaps(prefix("0.0.0.0/0"), prefix("::/0"))).toBe(false)
  })
})
