import { expect, test } from "bun:test"
import { parseRegistryAuth, parseRegistryConfig } from "./credentials.ts"

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url")

test("parseRegistryAuth() reads what docker's client sends", () => {
  expect(parseRegistryAuth(encode({ username: "u", password: "p", serveraddress: "r" }))).toEqual({
    username: "u",
    password: "p",
  })
  expect(parseRegistryAuth(encode({ identitytoken: "t" }))).toEqual({ identityToken: "t" })
  expect(parseRegistryAuth(encode({ auth: Buffer.from("u:p:q").toString("base64") }))).toEqual({
    username: "u",
    password: "p:q",
  })
})

test("parseRegistryAuth() takes nothing from nothing and from nonsense", () => {
  for (const text of [undefined, "", "%%%", encode({}), encode(null), encode("x"), encode({ username: 7 })])
    expect(parseRegistryAuth(text)).toBeUndefined()
})

test("parseRegistryConfig() finds a registry under each of the names that clients use", () => {
  const auth = { username: "u", password: "p" }
  for (const key of ["https://index.docker.io/v1/", "docker.io"])
    expect(parseRegistryConfig(encode({ [key]: auth }), "docker.io")).toEqual(auth)
  for (const key of ["r.example:5000", "https://r.example:5000/"])
    expect(parseRegistryConfig(encode({ "other.example": {}, [key]: auth }), "r.example:5000")).toEqual(auth)
  expect(parseRegistryConfig(encode({ "r.example": auth }), "r.example.evil")).toBeUndefined()
  for (const nothing of [undefined, "", "!", encode(null), encode("x")])
    expect(parseRegistryConfig(nothing, "docker.io")).toBeUndefined()
})
