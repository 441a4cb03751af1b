import { expect, test } from "bun:test"
import { digestOf } from "../../oci/digest.ts"
import { hostPlatform } from "../../oci/platform.ts"
import { parseConfig } from "./parse-config.ts"

const LAYER = digestOf("layer")
const BASE = { architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [LAYER] } }
const parse = (value: unknown) => parseConfig(Buffer.from(JSON.stringify(value)), "c.json")

test("parseConfig() takes nulls for nothing and a word for a list of one", () => {
  const config = { Cmd: "sh", Entrypoint: null, Env: null, Labels: null }
  expect(parse({ ...BASE, config, history: null, extra: 1 })).toEqual({
    ...BASE,
    extra: 1,
    config: { Cmd: ["sh"], Entrypoint: null, Env: null, Labels: null },
  } as never)
  expect(parse({ ...BASE, config: null })).toEqual(BASE as never)
})

test("parseConfig() refuses what later code could stumble over, and names the field", () => {
  expect(() => parse({ ...BASE, config: { Env: "A=b" } })).toThrow('"c.json" has a field "Env" of the wrong type')
  expect(() => parse({ ...BASE, config: { Labels: { a: 1 } } })).toThrow('"Labels"')
  expect(() => parse({ ...BASE, history: [1] })).toThrow('"history"')
  expect(() => parse({ ...BASE, rootfs: { diff_ids: ["../../etc"] } })).toThrow("not a sha256 digest")
  expect(parse({})).toMatchObject({ os: "linux", architecture: hostPlatform().architecture })
  expect(() => parse({ os: 1 })).toThrow(`"os"`)
  expect(() => parse([])).toThrow("is not an object")
  expect(() => parseConfig(Buffer.from("{"), "c.json")).toThrow("is not JSON")
})
