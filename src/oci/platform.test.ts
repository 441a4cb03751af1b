import { expect, test } from "bun:test"
import { formatPlatform, parsePlatform, platformDistance, runsNatively, samePlatform } from "./platform.ts"

test("parsePlatform() reads what people write", () => {
  const forms: Readonly<Record<string, string>> = {
    "linux/arm64": "linux/arm64",
    "linux/arm64/v8": "linux/arm64",
    aarch64: "linux/arm64",
    "linux/x86_64": "linux/amd64",
    "linux/amd64/v1": "linux/amd64",
    "linux/amd64/v3": "linux/amd64/v3",
    i386: "linux/386",
    arm: "linux/arm/v7",
    "arm/v6": "linux/arm/v6",
    armhf: "linux/arm/v7",
    armel: "linux/arm/v6",
    "LINUX/ARM/V5": "linux/arm/v5",
    "windows/amd64": "windows/amd64",
  }
  for (const [text, name] of Object.entries(forms)) expect(formatPlatform(parsePlatform(text))).toBe(name)
  const refused: Readonly<Record<string, string>> = {
    "": '"" is an invalid OS component of ""',
    "/": '"" is an invalid OS component of "/"',
    "linux/": '"" is an invalid component of "linux/"',
    "linux/arm 64": '"arm 64" is an invalid component',
    "linux@arm": "is an invalid OS component",
    "linux/../arm": '".." is an invalid component',
    "a/b/c/d": "cannot parse platform specifier",
    nintendo64: '"nintendo64": unknown operating system or architecture',
  }
  for (const [text, message] of Object.entries(refused)) expect(() => parsePlatform(text)).toThrow(message)
  expect(parsePlatform("macos/arm64").os).toBe("darwin")
})

test("platformDistance() is 0 for the same, and counts up through older variants and what runs as well", () => {
  const distance = (wanted: string, found: string, compatible = false): number =>
    platformDistance(parsePlatform(wanted), parsePlatform(found), { compatible })
  expect(distance("linux/arm64", "linux/arm64/v8")).toBe(0)
  expect(distance("linux/arm/v7", "linux/arm/v6")).toBe(1)
  expect(distance("linux/arm/v7", "linux/arm/v5")).toBe(2)
  expect(distance("linux/arm/v6", "linux/arm/v7")).toBe(Number.POSITIVE_INFINITY)
  expect(distance("linux/amd64", "linux/386")).toBe(Number.POSITIVE_INFINITY)
  expect(distance("linux/amd64", "linux/386", true)).toBeFinite()
  expect(distance("linux/arm64", "linux/arm/v7", true)).toBeLessThan(distance("linux/arm64", "linux/arm/v6", true))
  expect(distance("linux/amd64", "windows/amd64", true)).toBe(Number.POSITIVE_INFINITY)
})

test("runsNatively() knows the small brothers of the large processors", () => {
  expect(runsNatively("386", "amd64")).toBe(true)
  expect(runsNatively("arm", "arm64")).toBe(true)
  expect(runsNatively("amd64", "386")).toBe(false)
  expect(runsNatively("arm64", "amd64")).toBe(false)
  expect(samePlatform(parsePlatform("arm64/v8"), parsePlatform("aarch64"))).toBe(true)
})
