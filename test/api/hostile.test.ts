// Hostile requests to every route of Docker's reference: whatever comes in, the answer is a refusal of the client's making,
// never 500, and nothing is made or changed by it.
import { beforeAll, describe, expect, test } from "bun:test"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { REFERENCE } from "../../tools/surface/reference.ts"
import type { TestEngine } from "../support/engine.ts"
import { testEngine } from "../support/fixture.ts"

type Parts = { readonly method: string; readonly path: string; readonly queries: string[]; readonly fields: string[] }

/** What asks other machines, and fails as they do. */
const REMOTE = /^\/(images\/search|distribution|auth)/

const endpoints = new Map<string, Parts>()
for (const { name, last = "1.51" } of REFERENCE.entries) {
  // What was taken out long ago is unknown, as it is to Docker.
  if (last !== "1.51") continue
  const [method = "", path = "", part] = name.split(" ")
  const key = `${method} ${path}`
  const parts = endpoints.get(key) ?? { method, path, queries: [], fields: [] }
  endpoints.set(key, parts)
  if (part?.startsWith("?")) parts.queries.push(part.slice(1))
  else if (part !== undefined && !part.startsWith("(") && !part.startsWith("#")) parts.fields.push(part)
}

/** A document with one field set, all objects and lists on the way to it made: "HostConfig.Mounts[].Type". */
function document(path: string, value: unknown): Record<string, unknown> {
  const [, name = "", marks = "", rest] = /^([^.[{]+)([[\]{}]*)(?:\.(.*))?$/.exec(path) ?? []
  let inner = rest === undefined ? value : document(rest, value)
  for (const mark of marks.match(/\[\]|\{\}/g)?.reverse() ?? []) inner = mark === "[]" ? [inner] : { "80/tcp": inner }
  return { [name]: inner }
}

const engine = testEngine()

type Sent = { readonly status: number; readonly text: string }

async function send(
  method: string,
  path: string,
  options: { readonly body?: string | Uint8Array; readonly type?: string } = {},
): Promise<Sent> {
  const response = await fetch(`http://dhow${path}`, {
    unix: engine.socket,
    method,
    ...(options.body === undefined ? {} : { body: options.body as string }),
    headers: options.body === undefined ? {} : { "content-type": options.type ?? "application/json" },
    signal: AbortSignal.timeout(20_000),
  })
  // What streams for ever is not a refusal, and is not read to its end.
  if (response.status < 300 && response.headers.get("content-length") === null) {
    await response.body?.cancel()
    return { status: response.status, text: "" }
  }
  return { status: response.status, text: await response.text() }
}

const state = async (of: TestEngine): Promise<unknown> => {
  const lists = ["/containers/json?all=1", "/images/json?all=1", "/volumes", "/networks"]
  const found = await Promise.all(lists.map((path) => of.must<unknown>("GET", path)))
  return JSON.parse(JSON.stringify(found, (key, value) => (key === "Status" ? undefined : value)))
}

const concrete = (path: string): string => path.replace(/\{(id|name|checkpoint)\}/g, "nosuch")
let before: unknown

beforeAll(async () => {
  await engine.must("POST", "/containers/create?name=box", { Image: "bb", Cmd: ["sleep", "600"] })
  // What runs is not pruned, nor its image.
  await engine.must("POST", "/containers/box/start")
  before = await state(engine)
})

const BROKEN: readonly (readonly [name: string, body: string, message: string])[] = [
  ["cut off", '{"a":', "invalid JSON: unexpected EOF"],
  ["no JSON", "nope", "invalid JSON: invalid character 'o' in literal null (expecting 'u')"],
  ["a comma too many", '{"a":1,}', "invalid JSON: invalid character '}' looking for beginning of object key string"],
  ["blank", "  \n ", "invalid JSON: got EOF while reading request body"],
  ["two values", '{"a":1} {"b":2}', "unexpected content after JSON"],
  ["deep", `${'{"a":'.repeat(50_000)}1`, "invalid JSON: invalid character '{' exceeded max depth"],
  ["a NUL", '{"a":"\0"}', "invalid JSON: invalid character '\\x00' in string literal"],
]

describe("a body that is", () => {
  const bodies = [...endpoints.values()].filter(
    ({ method, path, fields }) =>
      method === "POST" && (fields.length > 0 || /\/(commit|update|create|init|join|unlock)$/.test(path)),
  )
  const routes = bodies.filter(({ path }) => !/^\/(images|plugins)\//.test(path))

  test.each(BROKEN)("%s is refused on every route that takes one", async (_name, body, message) => {
    expect(routes.length).toBeGreaterThan(15)
    for (const { path } of routes) {
      const { status, text } = await send("POST", concrete(path), { body })
      expect(`${path}: ${status} ${text.slice(0, 300)}`).toBe(`${path}: 400 ${JSON.stringify({ message })}\n`)
    }
  })

  test("of another type, or too large, is refused on every route that takes one", async () => {
    for (const { path } of routes) {
      const form = await send("POST", concrete(path), { body: '{"a":1}', type: "application/x-www-form-urlencoded" })
      expect(`${path}: ${form.status} ${form.text}`).toContain(
        `${path}: 400 {"message":"unsupported Content-Type header (application/x-www-form-urlencoded): must be 'application/json'"}`,
      )
      const huge = await send("POST", concrete(path), { body: `{"a":"${"x".repeat(5 << 20)}"}` })
      expect(`${path}: ${huge.status}`).toBe(`${path}: 400`)
    }
  })
})

const VALUES: readonly unknown[] = [
  ...[
    "x",
    "",
    "\0",
    "a".repeat(10_000),
    5,
    -1,
    1.5,
    1e300,
    2 ** 63,
    true,
    [],
    {},
    [[]],
    [null],
    [5],
    { a: null },
    { a: [] },
  ],
  ...[{ constructor: 5 }, "../../../etc/passwd", "\u{1f980}".repeat(100)],
]

/** With these nothing is made, whatever else is taken. */
const UNMADE: Readonly<Record<string, object>> = {
  "/containers/create": { Image: "nosuch" },
  "/volumes/create": { Driver: "nosuch" },
  "/networks/create": { Name: "host" },
}

describe("a field of any type", () => {
  const TYPED = [...endpoints.values()].filter(
    ({ method, path, fields }) => method === "POST" && fields.length > 0 && !/^\/(auth)/.test(path),
  )

  test.each(TYPED.map(({ path, fields }) => [path, fields] as const))(
    "is taken or refused by POST %s",
    async (path, fields) => {
      // What belongs to a cluster is refused as a whole.
      for (const field of fields.filter((name) => !name.startsWith("ClusterVolumeSpec."))) {
        let mistyped = 0
        for (const value of VALUES) {
          const given = document(field, value)
          const body = { ...UNMADE[path], ...given }
          const { status, text } = await send("POST", concrete(path), { body: JSON.stringify(body) })
          const line = `${field}=${JSON.stringify(value).slice(0, 60)}: ${status} ${text.slice(0, 300)}`
          // A volume needs nothing that could be missing.
          if (path === "/volumes/create" && status === 201)
            await engine.must("DELETE", `/volumes/${JSON.parse(text).Name}`)
          else if (path === "/networks/create" && status === 201)
            await engine.must("DELETE", `/networks/${JSON.parse(text).Id}`)
          else expect(line).toMatch(/: (400|403|404|409|501|503) \{"message":/)
          if (text.includes("cannot unmarshal")) mistyped++
        }
        expect(`${field}: ${mistyped > 0}`).toBe(`${field}: true`)
      }
    },
    60_000,
  )
})

/** Values that a field of their type takes, but that mean nothing, or too much. */
const ODD: readonly unknown[] = ["x", "/", -1, 5, 2 ** 63, true, ["x"], [{}], { a: "b" }]

test("a create with an image that is there is whole or nothing, whatever is in it", async () => {
  const fields = endpoints.get("POST /containers/create")?.fields ?? []
  const directories = (): string[] =>
    ["snapshots", "containers", "volumes"].flatMap((name) => {
      const path = join(engine.dataRoot, name)
      return existsSync(path) ? readdirSync(path).map((entry) => `${name}/${entry}`) : []
    })
  const atFirst = directories()
  for (const field of fields)
    for (const value of ODD) {
      const body = JSON.stringify({ Image: "bb", Cmd: ["true"], ...document(field, value) })
      const { status, text } = await send("POST", "/containers/create?name=odd", { body })
      if (status === 201) await engine.must("DELETE", "/containers/odd?v=1")
      else
        expect(`${field}=${JSON.stringify(value)}: ${status} ${text}`).toMatch(/: (400|404|409|501) \{"message":"..+/)
    }
  for (const { Name } of (await engine.must<{ Volumes: { Name: string }[] }>("GET", "/volumes")).Volumes)
    await engine.must("DELETE", `/volumes/${Name}`)
  expect(await state(engine)).toEqual(before)
  // What was removed goes off the disk a moment later.
  const deadline = Date.now() + 10_000
  while (directories().length > atFirst.length && Date.now() < deadline) await Bun.sleep(20)
  expect(directories().sort()).toEqual(atFirst.sort())
}, 60_000)

const QUERIES = [
  "",
  "-1",
  "99999999999999999999",
  "1e9",
  "0x10",
  "nope",
  "{",
  "[]",
  "null",
  '{"a":5}',
  "a".repeat(20_000),
]
const HOSTILE = [...QUERIES, "../../../etc", "\0", "\u{1f980}", "a\r\nb: c", "%"]

test("a parameter of any value is taken or refused, on every route", async () => {
  const routes = [...endpoints.values()].filter(({ path, queries }) => queries.length > 0 && !REMOTE.test(path))
  expect(routes.length).toBeGreaterThan(40)
  for (const { method, path, queries } of routes)
    for (const name of queries)
      for (const value of HOSTILE) {
        const target = `${concrete(path)}?${name}=${encodeURIComponent(value)}`
        const { status, text } = await send(method, target)
        expect(`${method} ${target.slice(0, 100)}: ${status} ${text.slice(0, 200)}`).not.toMatch(/: 500 /)
      }
}, 60_000)

test("routes of dhow's own refuse what they cannot read, too", async () => {
  const sources = new Bun.Glob("*.ts").scanSync({ cwd: join(import.meta.dir, "../../src/api/dhow") })
  const routes = [...sources].flatMap((file) => {
    const source = readFileSync(join(import.meta.dir, "../../src/api/dhow", file), "utf8")
    return [...source.matchAll(/"(GET|POST|PUT|DELETE)",\s*"(\/dhow\/[^"]*)"/g)].map(([, method, path]) => [
      method,
      path,
    ])
  })
  expect(routes.length).toBeGreaterThan(25)
  for (const [method = "", pattern = ""] of routes) {
    // These change the kernel of the machine.
    if (pattern.startsWith("/dhow/platforms/")) continue
    const path = pattern.replace(/[:*]\w+/g, "nosuch")
    for (const body of method === "GET" || method === "DELETE"
      ? [undefined]
      : ["{", "nope", "[]", '"x"', "5", '{"a":1} {}']) {
      const { status, text } = await send(method, path, body === undefined ? {} : { body })
      expect(`${method} ${path} ${body}: ${status} ${text.slice(0, 200)}`).not.toMatch(/: 500 /)
    }
    for (const query of ["filters=[", "filters=5", "since=x", "tail=x", "limit=-1", "rate=x", "platform={", "%zz"]) {
      const { status, text } = await send(method === "GET" ? "GET" : "HEAD", `${path}?${query}`)
      expect(`${method} ${path}?${query}: ${status} ${text.slice(0, 200)}`).not.toMatch(/: 500 /)
    }
  }
}, 60_000)

test("an escape that is none is refused in a path and in a query", async () => {
  for (const target of ["/containers/%zz/json", "/containers/json?all=%zz", "/containers/json?%"]) {
    const { status } = await send("GET", target)
    expect(`${target}: ${status}`).toBe(`${target}: 400`)
  }
})

test("nothing was made or changed, and nothing failed inside", async () => {
  expect(await state(engine)).toEqual(before)
  expect(
    engine
      .log()
      .split("\n")
      .filter((line) => line.includes('"level":"error"')),
  ).toEqual([])
})
