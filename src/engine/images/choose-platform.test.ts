import { expect, test } from "bun:test"
import { hostPlatform, type Platform } from "../../oci/platform.ts"
import { choosePlatform } from "./choose-platform.ts"

const arm = (variant?: string): Platform => ({ os: "linux", architecture: "arm", ...(variant && { variant }) })
const choose = (found: readonly Platform[], wanted?: Platform) => choosePlatform(found, (one) => one, wanted)

test("choosePlatform() prefers the exact one, then another variant, and takes no other where one was named", () => {
  expect(choose([arm("v6"), arm("v7")], arm())).toEqual(arm("v7"))
  expect(choose([arm("v6")], arm("v7"))).toEqual(arm("v6"))
  expect(choose([{ os: "linux", architecture: "s390x" }], arm())).toBeUndefined()
})

test("choosePlatform() without a wish takes the host's, or what there is", () => {
  const other: Platform = { os: "linux", architecture: "other" }
  expect(choose([other, hostPlatform()])).toEqual(hostPlatform())
  expect(choose([other])).toEqual(other)
  expect(choose([])).toBeUndefined()
})
