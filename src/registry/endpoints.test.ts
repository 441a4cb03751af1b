import { expect, test } from "bun:test"
import { isLoopback, resolveEndpoints, resolveHost, resolveSearch, settleEndpoint } from "./endpoints.ts"
import type { RegistrySettings } from "./settings.ts"

const busybox = { domain: "docker.io", path: "library/busybox" }
const places = (settings: RegistrySettings, name = busybox, access: "pull" | "push" = "pull") =>
  resolveEndpoints(settings, name, access).map(({ host, path }) => `${host}/${path}`)

test("resolveEndpoints() leads docker.io to its registry, over TLS alone", () => {
  const [endpoint] = resolveEndpoints({}, busybox, "pull")
  expect(endpoint).toMatchObject({ host: "registry-1.docker.io", schemes: ["https"], verify: true, isNamed: true })
  expect(endpoint?.path).toBe("library/busybox")
})

test("resolveEndpoints() asks mirrors first when pulling, and never when pushing", () => {
  const settings = { prefixes: { "docker.io": { mirrors: ["mirror.example/hub", "127.0.0.1:5000"] } } }
  expect(places(settings)).toEqual([
    "mirror.example/hub/library/busybox",
    "127.0.0.1:5000/library/busybox",
    "registry-1.docker.io/library/busybox",
  ])
  expect(places(settings, busybox, "push")).toEqual(["registry-1.docker.io/library/busybox"])
  expect(resolveEndpoints(settings, busybox, "pull").map((endpoint) => endpoint.isNamed)).toEqual([false, false, true])
})

test("resolveEndpoints() lets the longest prefix decide, by whole components", () => {
  const prefixes = { "docker.io": { rewrite: "all.example" }, "docker.io/library": { rewrite: "lib.example/official" } }
  expect(places({ prefixes })).toEqual(["lib.example/official/busybox"])
  expect(places({ prefixes }, { domain: "docker.io", path: "library2/x" })).toEqual(["all.example/library2/x"])
})

test("resolveEndpoints() refuses what is blocked, and sends short names to the default registry", () => {
  const settings = { default: "home.example", prefixes: { "evil.example/team": { blocked: true } } }
  expect(() => places(settings, { domain: "evil.example", path: "team/x" })).toThrow("is blocked")
  expect(places(settings, { domain: "evil.example", path: "teams/x" })).toEqual(["evil.example/teams/x"])
  expect(places(settings)).toEqual(["home.example/library/busybox"])
})

test("resolveEndpoints() does without TLS only on loopback and where the settings say so", () => {
  const hosts = { "lab.example:5000": { insecure: true }, "127.0.0.1:1": { insecure: false } }
  const schemes = (domain: string) => resolveEndpoints({ hosts }, { domain, path: "x" }, "pull")[0]?.schemes
  expect(schemes("localhost:5000")).toEqual(["https", "http"])
  expect(schemes("lab.example:5000")).toEqual(["https", "http"])
  expect(schemes("127.0.0.1:1")).toEqual(["https"])
  expect(schemes("lab.example")).toEqual(["https"])
})

test("resolveHost() takes hosts and addresses of them, and knows Docker Hub by all its names", () => {
  const host = (server: string) => resolveHost({}, server).host
  expect(host("https://registry.example.com:5000/v2/")).toBe("registry.example.com:5000")
  for (const server of ["https://index.docker.io/v1/", "docker.io", "index.docker.io", "registry-1.docker.io"])
    expect(host(server)).toBe("registry-1.docker.io")
  for (const server of ["", "a b", "ftp://x", "x:y"])
    expect(() => host(server)).toThrow("unable to parse server address")
  const settings = { prefixes: { "evil.example": { blocked: true } } }
  expect(() => resolveHost(settings, "evil.example")).toThrow("is blocked")
})

test("resolveSearch() leads Docker Hub to where it is searched, or to what stands in for it", () => {
  expect(resolveSearch({}, "docker.io").host).toBe("index.docker.io")
  expect(resolveSearch({ default: "home.example" }, "docker.io").host).toBe("home.example")
  expect(resolveSearch({ default: "home.example" }, "other.example").host).toBe("other.example")
})

test("settleEndpoint() finds a host insecure by its addresses, unless something is said of it", async () => {
  const insecureBlocks = ["10.0.0.0/8", "127.0.0.0/8"]
  const schemes = async (domain: string, settings: RegistrySettings) =>
    (await settleEndpoint(resolveEndpoints(settings, { domain, path: "x" }, "pull")[0]!)).schemes
  expect(await schemes("10.1.2.3:5000", { insecureBlocks })).toEqual(["https", "http"])
  expect(await schemes("11.1.2.3:5000", { insecureBlocks })).toEqual(["https"])
  expect(await schemes("nowhere.invalid", { insecureBlocks })).toEqual(["https"])
  const hosts = { "10.1.2.3:5000": { insecure: false } }
  expect(await schemes("10.1.2.3:5000", { insecureBlocks, hosts })).toEqual(["https"])
  expect(
    (await settleEndpoint(resolveEndpoints({ insecureBlocks }, { domain: "10.0.0.1", path: "x" }, "pull")[0]!)).verify,
  ).toBe(false)
})

test("isLoopback() knows names and addresses, and no look-alikes", () => {
  for (const host of ["localhost", "localhost:5000", "127.3.2.1:80", "[::1]:5000", "a.localhost"])
    expect(isLoopback(host)).toBe(true)
  for (const host of ["127.0.0.1.example.com", "localhost.example", "10.0.0.1", "[::2]:5000"])
    expect(isLoopback(host)).toBe(false)
})
