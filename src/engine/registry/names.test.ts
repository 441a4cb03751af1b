import { expect, test } from "bun:test"
import { parseManifestReference, parseNamedDigest, parseRepositoryName, parseTarget } from "./names.ts"

const sha256 = `sha256:${"a".repeat(64)}`

test("parseRepositoryName() takes what the specification does, and no path tricks", () => {
  for (const good of ["a", "team/app", "a.b/c_d/e__f/g-h--i", "0", "x".repeat(255)])
    expect(parseRepositoryName(good) as string).toBe(good)
  const bad = ["", "A", "a/", "/a", "a//b", ".", "..", "a/../b", "a/./b", "a%2fb", "a\0b", "a b", "a_-b", "ä", "a\n"]
  for (const name of [...bad, "x".repeat(256)]) expect(() => parseRepositoryName(name)).toThrow("is invalid")
})

test("parseNamedDigest() takes sha256 and sha512 in lower case, whole", () => {
  expect(parseNamedDigest(sha256) as string).toBe(sha256)
  expect(parseNamedDigest(`sha512:${"0".repeat(128)}`)).toBeDefined()
  for (const bad of ["", "sha256:", sha256.toUpperCase(), `${sha256}0`, `sha512:${"a".repeat(64)}`, "../../etc/passwd"])
    expect(() => parseNamedDigest(bad)).toThrow("neither sha256 nor sha512")
})

test("parseManifestReference() tells tags from digests by the colon", () => {
  expect(parseManifestReference("v1.0") as string).toBe("v1.0")
  expect(parseManifestReference(sha256) as string).toBe(sha256)
  for (const bad of ["", ".x", "-x", "a/b", "x".repeat(129)])
    expect(() => parseManifestReference(bad)).toThrow("is invalid")
  expect(() => parseManifestReference("sha256:abc")).toThrow("neither")
})

test("parseTarget() reads repositories, tags and digests as users name them", () => {
  expect(parseTarget("team/app") as object).toEqual({ name: "team/app" })
  expect(parseTarget("team/app:1") as object).toEqual({ name: "team/app", reference: "1" })
  expect(parseTarget(`app@${sha256}`) as object).toEqual({ name: "app", reference: sha256 })
  for (const bad of ["", "App", "app:", "app@x", "localhost:5000/app"])
    expect(() => parseTarget(bad)).toThrow("is no repository, tag or digest")
})
