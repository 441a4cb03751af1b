import { afterEach, beforeEach, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Database } from "../../state/database.ts"
import { addressData, addressesOf, findAddress, findName, fullName, readReverse } from "./local.ts"
import { Names } from "./names.ts"
import { unknownName } from "./reasons.ts"

let directory: string
let database: Database
let names: Names

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "dhow-names-"))
  database = Database.open(join(directory, "dhow.db"))
  for (const name of ["app", "other", "my.net"]) network(name)
  names = new Names(join(directory, "dhow.db"))
})
afterEach(() => {
  names.close()
  database.close()
  rmSync(directory, { recursive: true })
})

function network(name: string, internal = false): void {
  const values = { name, record: JSON.stringify({ driver: "bridge", internal }) }
  database
    .query<unknown, typeof values>(
      "INSERT INTO networks (id, name, created_at, record) VALUES ($name, $name, 0, $record)",
    )
    .run(values)
}

function container(
  name: string,
  endpoints: readonly { on: string; ip: string; six?: string; names?: string[]; links?: string[] }[],
): void {
  const record = JSON.stringify({
    name,
    ports: [],
    endpoints: endpoints.map(({ on, ip, six = "", names: aliases = [], links = [] }) => ({
      network: on,
      networkName: on,
      hostInterface: "",
      settings: {
        IPAddress: ip,
        GlobalIPv6Address: six,
        Gateway: "10.0.0.1",
        DNSNames: [name, ...aliases],
        Links: links,
      },
    })),
  })
  database
    .query<unknown, { name: string; record: string }>(
      "INSERT OR REPLACE INTO network_namespaces (key, owner, record) VALUES ($name, $name, $record)",
    )
    .run({ name, record })
}

function find(from: string, name: string): string[] | undefined {
  names.refresh()
  const found = findName(names, names.namespace(from)!, name)
  return found === undefined ? undefined : addressesOf(found, 4)
}

test("a name is found on the asker's networks, with the network's name behind it too, whatever dots are in it", () => {
  container("web", [
    { on: "app", ip: "10.0.0.2" },
    { on: "my.net", ip: "10.2.0.2" },
  ])
  container("db", [{ on: "app", ip: "10.0.0.3", names: ["PG", "pg.internal"] }])
  container("a.b", [{ on: "my.net", ip: "10.2.0.3" }])
  container("far", [{ on: "other", ip: "10.1.0.2" }])
  expect(find("web", "db")).toEqual(["10.0.0.3"])
  expect(find("web", "pg")).toEqual(["10.0.0.3"])
  expect(find("web", "db.app")).toEqual(["10.0.0.3"])
  expect(find("web", "pg.internal.app")).toEqual(["10.0.0.3"])
  expect(find("web", "a.b")).toEqual(["10.2.0.3"])
  expect(find("web", "a.b.my.net")).toEqual(["10.2.0.3"])
  expect(find("web", "db.my.net")).toBeUndefined()
  expect(find("web", "far")).toBeUndefined()
  expect(find("web", "far.other")).toBeUndefined()
  expect(find("web", "")).toBeUndefined()
})

test("a link is its container's alone, and goes before a name of the network", () => {
  container("web", [{ on: "app", ip: "10.0.0.2", links: ["db:database", "db:cache"] }])
  container("db", [{ on: "app", ip: "10.0.0.3" }])
  container("cache", [{ on: "app", ip: "10.0.0.4" }])
  expect(find("web", "database")).toEqual(["10.0.0.3"])
  expect(find("web", "cache")).toEqual(["10.0.0.3"])
  expect(find("db", "database")).toBeUndefined()
  expect(find("db", "cache")).toEqual(["10.0.0.4"])
})

test("what is written to the rows is answered at once", () => {
  container("web", [{ on: "app", ip: "10.0.0.2" }])
  expect(find("web", "db")).toBeUndefined()
  container("db", [{ on: "app", ip: "10.0.0.3" }])
  expect(find("web", "db")).toEqual(["10.0.0.3"])
  container("db", [{ on: "app", ip: "10.0.0.9" }])
  expect(find("web", "db")).toEqual(["10.0.0.9"])
  database.query<unknown>("DELETE FROM network_namespaces WHERE key = 'db'").run()
  expect(find("web", "db")).toBeUndefined()
})

test("an address has the full name of who has it, on the asker's networks alone", () => {
  container("web", [{ on: "app", ip: "10.0.0.2" }])
  container("db", [{ on: "app", ip: "10.0.0.3", six: "fd00::1:3" }])
  container("far", [{ on: "other", ip: "10.1.0.2" }])
  names.refresh()
  const from = (name: string): string | undefined => {
    const holder = findAddress(names, names.namespace("web")!, name)
    return holder === undefined ? undefined : fullName(holder)
  }
  expect(from("3.0.0.10.in-addr.arpa")).toBe("db.app")
  expect(from(`3.0.0.0.1${".0".repeat(23)}.0.0.d.f.ip6.arpa`)).toBe("db.app")
  expect(from("2.0.1.10.in-addr.arpa")).toBeUndefined()
  expect(readReverse("3.0.0.in-addr.arpa")).toBeUndefined()
  expect(readReverse("db")).toBeUndefined()
})

test("a name that nobody has is explained by what there is", () => {
  container("web", [{ on: "app", ip: "10.0.0.2" }])
  container("postgres", [{ on: "app", ip: "10.0.0.3" }])
  container("far", [{ on: "other", ip: "10.1.0.2" }])
  names.refresh()
  const why = (name: string): string => unknownName(names, names.namespace("web")!, name)
  expect(why("far")).toBe('no container named "far" on network app; a container of that name runs on network other')
  expect(why("postgers")).toBe('no container named "postgers" on network app; there is "postgres"')
  expect(why("example.org")).toBe('no container named "example.org" on network app')
})

test("addressData() writes both families", () => {
  expect([...addressData("10.0.0.9")]).toEqual([10, 0, 0, 9])
  expect(Buffer.from(addressData("fd00::1:3")).toString("hex")).toBe("fd000000000000000000000000010003")
  expect(Buffer.from(addressData("::1")).toString("hex")).toBe("00000000000000000000000000000001")
})
