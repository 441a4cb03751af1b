import { expect, test } from "bun:test"
import { contentTrust, refuseContentTrust } from "./content-trust.ts"
import { parseFlags } from "./parse.ts"

const flags = { "disable-content-trust": contentTrust } as const
const parse = (...argv: string[]) => parseFlags(flags, argv).flags["disable-content-trust"]

test("contentTrust takes what switches verification off, and refuses what would switch it on", () => {
  expect(parse()).toBeUndefined()
  expect(parse("--disable-content-trust")).toBe(true)
  expect(parse("--disable-content-trust=true")).toBe(true)
  expect(() => parse("--disable-content-trust=false")).toThrow(
    'invalid argument "false" for "--disable-content-trust" flag: content trust is not supported',
  )
  expect(() => parse("--disable-content-trust=maybe")).toThrow("invalid syntax")
})

test("refuseContentTrust() does not pass over DOCKER_CONTENT_TRUST, unless the flag says so", () => {
  for (const value of ["1", "true", "yes"])
    expect(() => refuseContentTrust(undefined, { DOCKER_CONTENT_TRUST: value })).toThrow("is not supported")
  for (const value of ["", "0", "false"]) refuseContentTrust(undefined, { DOCKER_CONTENT_TRUST: value })
  refuseContentTrust(undefined, {})
  refuseContentTrust(true, { DOCKER_CONTENT_TRUST: "1" })
})
