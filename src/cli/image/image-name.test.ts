import { expect, test } from "bun:test"
import { parseImageName, parseImageNames, platformJson } from "./image-name.ts"

const DIGEST = `sha256:${"a".repeat(64)}`

test("parseImageName() parts a name from its platform, whatever the name is made of", () => {
  const parts: Readonly<Record<string, readonly [string, string]>> = {
    "debian@@linux/arm64": ["debian", "linux/arm64"],
    "localhost:5000/a/b:1@@arm64": ["localhost:5000/a/b:1", "arm64"],
    [`debian:12@${DIGEST}@@linux/arm/v7`]: [`debian:12@${DIGEST}`, "linux/arm/v7"],
    [`${DIGEST}@@386`]: [DIGEST, "386"],
    "0123456789ab@@amd64": ["0123456789ab", "amd64"],
  }
  for (const [text, [name, platform]] of Object.entries(parts)) expect(parseImageName(text)).toEqual({ name, platform })
  expect(parseImageName("debian")).toEqual({ name: "debian", platform: undefined })
  expect(parseImageName(`debian@${DIGEST}`)).toEqual({ name: `debian@${DIGEST}`, platform: undefined })
  expect(parseImageName("debian", "arm64")).toEqual({ name: "debian", platform: "arm64" })
  expect(parseImageName("debian", "")).toEqual({ name: "debian", platform: undefined })
})

test("parseImageName() refuses halves, nonsense and two different platforms", () => {
  for (const text of ["@@linux/arm64", "debian@@", "@@"])
    expect(() => parseImageName(text)).toThrow(`invalid image "${text}": expected NAME@@PLATFORM`)
  for (const text of ["debian@@linux/arm64@@amd64", "debian@@a/b/c/d", "debian@@linux/", "debian@@lin ux"])
    expect(() => parseImageName(text)).toThrow(/is an invalid (OS )?component|cannot parse/)
  expect(() => parseImageName("debian@@arm64", "amd64")).toThrow("conflicting platforms")
  expect(parseImageName("debian@@aarch64", "linux/arm64/v8").platform).toBe("aarch64")
})

test("parseImageNames() wants one platform for all", () => {
  expect(parseImageNames(["a@@arm64", "b@@linux/arm64"])).toEqual({ names: ["a", "b"], platform: "arm64" })
  expect(parseImageNames(["a", "b"], "386")).toEqual({ names: ["a", "b"], platform: "386" })
  expect(() => parseImageNames(["a@@arm64", "b"])).toThrow('conflicting platforms: "a@@arm64" and "b"')
})

test("platformJson() writes what the API reads", () => {
  expect(platformJson("aarch64")).toBe('{"os":"linux","architecture":"arm64"}')
  expect(platformJson("linux/arm/v6")).toBe('{"os":"linux","architecture":"arm","variant":"v6"}')
})
