// What every route answers that this engine does not do, and what all of them have in common: headers, versions, 404.
import { expect, test } from "bun:test"
import { REFERENCE } from "../../tools/surface/reference.ts"
import { testEngine } from "../support/fixture.ts"

const engine = testEngine()

const MANAGER =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.'

const get = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`http://dhow${path}`, { unix: engine.socket, ...init })

async function said(method: string, path: string, body?: unknown): Promise<string> {
  const { status, json, text } = await engine.call(method, path, body)
  const { message } = (json ?? {}) as { message?: string }
  return `${method} ${path}: ${status} ${message ?? text}`
}

test("an engine outside of a swarm says so on every route of swarm mode", async () => {
  const routes = REFERENCE.entries
    .map(({ name }) => name)
    .filter((name) => {
      return /^\S+ \/(swarm|nodes|services|tasks|secrets|configs)\b/.test(name) && name.split(" ").length === 2
    })
  expect(routes.length).toBeGreaterThan(25)
  for (const route of routes) {
    const [method = "", pattern = ""] = route.split(" ")
    const path = pattern.replace("{id}", "x")
    const query = path.endsWith("/update") ? "?version=5" : path.endsWith("/logs") ? "?stdout=1" : ""
    const expected = path.endsWith("/leave")
      ? "503 This node is not part of a swarm"
      : /\/(init|join)$/.test(path)
        ? "501 Swarm mode is not supported"
        : `503 ${MANAGER}`
    expect(await said(method, path + query, method === "POST" ? {} : undefined)).toBe(
      `${method} ${path + query}: ${expected}`,
    )
  }
})

test("what is wrong with a request of swarm mode is said first", async () => {
  const wrong = "strconv.ParseUint: parsing"
  for (const [path, text] of [
    ["/services/x/update", `invalid service version '': ${wrong} "": invalid syntax`],
    ["/nodes/x/update?version=-1", `invalid node version '-1': ${wrong} "-1": invalid syntax`],
    ["/swarm/update?version=a", `invalid swarm version 'a': ${wrong} "a": invalid syntax`],
    ["/secrets/x/update", "invalid secret version"],
    ["/configs/x/update", "invalid config version"],
  ] as const)
    expect(await said("POST", path, {})).toBe(`POST ${path}: 400 ${text}`)
  expect(await said("GET", "/services/x/logs")).toContain("400 Bad parameters: you must choose at least one stream")
  expect(await said("GET", "/tasks?filters=5")).toContain("400 invalid filter")
})

test("volumes of a cluster need one", async () => {
  expect(await said("POST", "/volumes/create", { ClusterVolumeSpec: { Group: "x" } })).toContain(`503 ${MANAGER}`)
  // Clients from before them mean a volume like any other.
  const { Name } = await engine.must<{ Name: string }>("POST", "/v1.41/volumes/create", { ClusterVolumeSpec: {} })
  await engine.must("DELETE", `/volumes/${Name}`)
  expect(await said("PUT", "/volumes/x?version=1", {})).toContain(
    "503 volume update only valid for cluster volumes, but swarm is unavailable",
  )
})

test("an engine without plugins says so on every route of theirs", async () => {
  expect((await engine.call("GET", "/plugins")).json).toEqual([])
  expect(await said("GET", "/plugins?filters=[")).toContain("400 invalid filter")
  for (const [method, path] of [
    ["GET", "/plugins/a/b/json"],
    ["DELETE", "/plugins/a/b"],
    ["POST", "/plugins/a/b/enable?timeout=0"],
    ["POST", "/plugins/a/b/disable"],
    ["POST", "/plugins/a/b/push"],
  ] as const)
    expect(await said(method, path)).toBe(`${method} ${path}: 404 plugin "a/b" not found`)
  for (const path of ["/plugins/a/b/upgrade?remote=c", "/plugins/a/b/set"])
    expect(await said("POST", path, [])).toBe(`POST ${path}: 404 plugin "a/b" not found`)
  expect(await said("POST", "/plugins/a/enable")).toContain('400 strconv.Atoi: parsing "": invalid syntax')
  expect(await said("GET", "/plugins/privileges?remote=a")).toContain("501 Plugins are not supported")
  expect(await said("POST", "/plugins/pull?remote=a&name=b", [])).toContain("501 Plugins are not supported")
  expect(await said("POST", "/plugins/create?name=a")).toContain("501 Plugins are not supported")
})

test("what there is no builder for is refused, and its cache is empty", async () => {
  expect(await said("POST", "/build?t=a")).toContain("501 Building images is not supported yet")
  expect(await said("POST", "/build/cancel?id=a")).toContain("501 Building images is not supported yet")
  expect(await said("POST", "/session")).toBe("POST /session: 404 page not found")
  const pruned = await engine.must(
    "POST",
    "/build/prune?all=1&reserved-space=5&max-used-space=5&min-free-space=5&keep-storage=5",
  )
  expect(pruned).toEqual({ CachesDeleted: null, SpaceReclaimed: 0 })
  expect(await said("POST", "/build/prune?max-used-space=a")).toContain(
    "400 max-used-space is in bytes and expects an integer, got a",
  )
  expect(await said("POST", "/v1.47/build/prune?max-used-space=a")).toContain("200")
  expect(await said("POST", "/v1.47/build/prune?keep-storage=a")).toContain("400 keep-storage is in bytes")
})

test("requests for networks are checked", async () => {
  expect(await said("POST", "/networks/create", { Name: "bridge" })).toContain(
    "403 operation is not permitted on predefined bridge network",
  )
  expect(await said("POST", "/networks/create", { Internal: "yes" })).toContain(
    "400 invalid JSON: json: cannot unmarshal string into Go struct field CreateRequest.CreateOptions.Internal of type bool",
  )
  expect(await said("POST", "/networks/x/connect", { Container: "a" })).toContain("404 No such container: a")
  expect(await said("POST", "/networks/x/disconnect", { Container: "a" })).toContain("404 No such container: a")
  expect(await said("DELETE", "/networks/x")).toContain("404 network x not found")
})

test("checkpoints are as on an engine without experiments", async () => {
  for (const [method, path] of [
    ["GET", "/containers/x/checkpoints"],
    ["POST", "/containers/x/checkpoints"],
    ["DELETE", "/containers/x/checkpoints/y"],
  ] as const)
    expect(await said(method, path)).toContain("501 This experimental feature is disabled by default.")
})

test("a ping says what clients negotiate by, with and without a version", async () => {
  for (const path of ["/_ping", "/v1.24/_ping", "/v1.54/_ping"])
    for (const method of ["GET", "HEAD"]) {
      const response = await get(path, { method })
      const text = await response.text()
      expect(`${method} ${path}: ${response.status} ${text}`).toBe(
        `${method} ${path}: 200 ${method === "GET" ? "OK" : ""}`,
      )
      const headers = [
        "api-version",
        "builder-version",
        "docker-experimental",
        "ostype",
        "swarm",
        "cache-control",
        "pragma",
      ]
      expect(headers.map((name) => response.headers.get(name))).toEqual([
        ...["1.54", "1", "false", "linux", "inactive"],
        ...["no-cache, no-store, must-revalidate", "no-cache"],
      ])
      expect(response.headers.get("server")).toMatch(/^dhow\/\S+ \(linux\)$/)
      expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8")
    }
})

test("every version from 1.24 on is served, and others are refused with the range", async () => {
  for (let minor = 24; minor <= 54; minor++)
    expect((await engine.call("GET", `/v1.${minor}/containers/json`)).status).toBe(200)
  expect(await said("GET", "/v1.99/info")).toBe(
    "GET /v1.99/info: 400 client version 1.99 is too new. Maximum supported API version is 1.54",
  )
  const old = await get("/v1.23/info")
  expect(`${old.status} ${old.headers.get("content-type")} ${await old.text()}`).toBe(
    "400 text/plain; charset=utf-8 client version 1.23 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version\n",
  )
})

test("what Docker does not know is its 404, of whatever version", async () => {
  for (const path of ["/no/such", "/v1.40/no/such", "/v1.99/no/such", "/v1.51", "/v1.51/", "/info/", "/"])
    expect(await said("GET", path)).toBe(`GET ${path}: 404 page not found`)
  expect(await said("PUT", "/info")).toContain("404 page not found")
  expect((await get("/anything/at/all", { method: "OPTIONS" })).status).toBe(200)
})
