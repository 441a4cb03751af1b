import { expect, test } from "bun:test"
import { isLoopback, resolveEndpoints } from "./endpoints.ts"
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

test("isLoopback() knows names and addresses, and no look-alikes", () => {
  for (const host of ["localhost", "localhost:5000", "127.3.2.1:80", "[::1]:5000", "a.localhost"])
    expect(isLoopback(host)).toBe(true)
  for (const host of ["127.0.0.1.example.com", "localhost.example", "10.0.0.1", "[::2]:5000"])
    expect(isLoopback(host)).toBe(false)
})
