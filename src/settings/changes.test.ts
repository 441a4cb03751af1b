import { expect, test } from "bun:test"
import { planChanges } from "./changes.ts"
import { masked } from "./masked.ts"
import type { Settings } from "./sources.ts"

const settings = (values: Readonly<Record<string, unknown>>): Settings =>
  new Map(Object.entries(values).map(([key, value]) => [key, { value, origins: [{ Kind: "default" }] }]))

test("planChanges() says of each key when it takes effect, and keeps what cannot change now", () => {
  const before = settings({ debug: false, init: false, bip: "a", "data-root": "/a", "storage-driver": "auto" })
  const wanted = settings({ debug: true, init: true, bip: "b", "data-root": "/b", "storage-driver": "erofs" })
  const { changes, effective, pending } = planChanges(before, wanted, { bridgeUsers: 2 })
  expect(changes.map(({ Key, Effect }) => [Key, Effect])).toEqual([
    ["bip", "after a restart"],
    ["data-root", "refused"],
    ["debug", "now"],
    ["init", "new containers"],
    ["storage-driver", "after a restart"],
  ])
  expect([...effective].map(([key, { value }]) => [key, value])).toEqual([
    ["debug", true],
    ["init", true],
    ["bip", "a"],
    ["data-root", "/a"],
    ["storage-driver", "auto"],
  ])
  expect(pending.get("bip")).toBe("2 containers are on the default bridge")
  expect(pending.get("data-root")).toContain("mv /a /b")
  expect(planChanges(before, wanted, { bridgeUsers: 0 }).effective.get("bip")?.value).toBe("b")
})

test("planChanges() of the same values is nothing, and a key that is taken out falls back", () => {
  const some = settings({ dns: ["1.1.1.1"], gc: { max: "80%" } })
  expect(planChanges(some, settings({ dns: ["1.1.1.1"], gc: { max: "80%" } }), { bridgeUsers: 0 }).changes).toEqual([])
  const [change] = planChanges(some, settings({ dns: ["1.1.1.1"] }), { bridgeUsers: 0 }).changes
  expect(change).toMatchObject({ Key: "gc", To: null, Effect: "now" })
})

test("masked() hides passwords of proxies and tokens of log drivers, and nothing else", () => {
  expect(masked("proxies", { "http-proxy": "http://me:secret@p:3128", "no-proxy": "x" })).toEqual({
    "http-proxy": "http://xxxxx:xxxxx@p:3128",
    "no-proxy": "x",
  })
  expect(masked("log-opts", { "splunk-token": "t", "max-size": "1m" })).toEqual({
    "splunk-token": "xxxxx",
    "max-size": "1m",
  })
  expect(masked("labels", ["token=1"])).toEqual(["token=1"])
})
