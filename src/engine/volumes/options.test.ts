import { expect, test } from "bun:test"
import { checkDriver, checkName, checkOptions } from "./options.ts"

const refusal = (options: Record<string, string>): string => {
  try {
    checkOptions("vol", options)
    return "taken"
  } catch (error) {
    return (error as Error).message
  }
}

test("checkOptions() refuses in Docker's words what the local driver does not take", () => {
  expect(refusal({})).toBe("taken")
  expect(refusal({ type: "nfs", device: ":/x", o: "addr=10.0.0.1" })).toBe("taken")
  expect(refusal({ type: "none", device: "/x" })).toBe("taken")
  expect(refusal({ foo: "bar" })).toBe('create vol: invalid option: "foo"')
  expect(refusal({ type: "tmpfs" })).toBe('create vol: missing required option: "device"')
  expect(refusal({ device: "/x" })).toBe('create vol: missing required option: "type"')
  expect(refusal({ o: "bind" })).toBe('create vol: missing required option: "device"')
  expect(refusal({ type: "cifs", device: "//host:99/share" })).toBe(
    "create vol: port not allowed in CIFS device URL, include 'port' in 'o='",
  )
  expect(refusal({ size: "many" })).toBe("create vol: invalid size: 'many'")
  expect(refusal({ size: "1m", type: "tmpfs", device: "tmpfs" })).toContain('"size" limits files of the engine')
  expect(refusal({ type: "none", device: "/x\0y" })).toContain("NUL byte")
})

test("checkOptions() tells the bytes of a size, and 0 is none", () => {
  expect(checkOptions("vol", { size: "10m" })).toBe(10 << 20)
  expect(checkOptions("vol", { size: "0" })).toBeUndefined()
  expect(checkOptions("vol", {})).toBeUndefined()
})

test("checkName() and checkDriver() refuse what no volume has", () => {
  for (const name of ["a", "-ab", "a/b", ".ab", "ä1", "..", "a".repeat(256)])
    expect(() => checkName(name)).toThrow("create ")
  for (const name of ["ab", "a_b", "0.1-x", "a".repeat(255)]) checkName(name)
  expect(() => checkName("a")).toThrow("volume name is too short")
  expect(() => checkDriver("nfs")).toThrow('error looking up volume plugin nfs: plugin "nfs" not found')
  checkDriver("")
  checkDriver("local")
})
