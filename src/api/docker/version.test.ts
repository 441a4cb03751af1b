import { expect, test } from "bun:test"
import { checkVersion, splitVersion } from "./version.ts"

test.each([
  ["/v1.41/info", "1.41", "/info"],
  ["/info", undefined, "/info"],
  ["/v1.41", undefined, "/v1.41"],
  ["/version", undefined, "/version"],
  ["/volumes/create", undefined, "/volumes/create"],
  ["/v2/x", "2", "/x"],
] as const)("splitVersion() of %s", (path, version, rest) => {
  expect(splitVersion(path)).toEqual({ version, rest })
})

test("checkVersion() takes 1.24 to 1.54, and that of Docker 28 for none", () => {
  expect(checkVersion("1.24")).toBe(24)
  expect(checkVersion("1.54")).toBe(54)
  expect(checkVersion(undefined)).toBe(51)
})

test.each(["1.12", "1", "0.9", "1.23"])("checkVersion() calls %s too old", (version) => {
  expect(() => checkVersion(version)).toThrow(
    `client version ${version} is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version`,
  )
})

test.each(["1.55", "2", "1.100"])("checkVersion() calls %s too new", (version) => {
  expect(() => checkVersion(version)).toThrow(
    `client version ${version} is too new. Maximum supported API version is 1.54`,
  )
})
