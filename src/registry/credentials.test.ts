import { expect, test } from "bun:test"
import { parseRegistryAuth } from "./credentials.ts"

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
