import { expect, test } from "bun:test"
import { hostPlatform, type Platform } from "../../oci/platform.ts"
import { choosePlatform } from "./choose-platform.ts"

const arm = (variant?: string): Platform => ({ os: "linux", architecture: "arm", ...(variant && { variant }) })
const linux = (architecture: string, variant?: string): Platform => ({
  os: "linux",
  architecture,
  ...(variant && { variant }),
})
const choose = (found: readonly Platform[], wanted?: Platform) => choosePlatform(found, (one) => one, wanted)

test("choosePlatform() takes the exact one, and no other where one was named", () => {
  expect(choose([arm("v6"), arm("v7")], arm())).toEqual(arm("v7"))
  expect(choose([arm("v6")], arm("v7"))).toBeUndefined()
  expect(choose([arm("v7")], arm("v6"))).toBeUndefined()
  expect(choose([arm("v6")], linux("arm64"))).toBeUndefined()
  expect(choose([linux("386")], linux("amd64"))).toBeUndefined()
  expect(choose([linux("s390x")], arm())).toBeUndefined()
})

test("choosePlatform() takes what the wanted platform runs as well where it is asked to", () => {
  const compatible = (found: readonly Platform[], wanted: Platform) =>
    choosePlatform(found, (one) => one, wanted, { compatible: true })
  expect(compatible([arm("v5"), arm("v6")], arm("v7"))).toEqual(arm("v6"))
  expect(compatible([arm("v6"), arm("v7")], linux("arm64"))).toEqual(arm("v7"))
  expect(compatible([linux("386"), linux("amd64")], linux("amd64", "v3"))).toEqual(linux("amd64"))
  expect(compatible([linux("386")], linux("amd64"))).toEqual(linux("386"))
  expect(compatible([linux("amd64")], linux("386"))).toBeUndefined()
  expect(compatible([arm("v7")], arm("v6"))).toBeUndefined()
})

test("choosePlatform() without a wish takes the host's, or what there is", () => {
  const other: Platform = { os: "linux", architecture: "other" }
  expect(choose([other, hostPlatform()])).toEqual(hostPlatform())
  expect(choose([other])).toEqual(other)
  expect(choose([])).toBeUndefined()
})
