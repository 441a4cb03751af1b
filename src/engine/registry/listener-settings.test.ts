import { expect, test } from "bun:test"
import { checkListener, formatAddress, parseAddress } from "./listener-settings.ts"

test("parseAddress() reads a host with a port, and every address where there is none", () => {
  expect(parseAddress("127.0.0.1:5000")).toEqual({ hostname: "127.0.0.1", port: 5000 })
  expect(parseAddress("[::1]:0")).toEqual({ hostname: "::1", port: 0 })
  expect(parseAddress(":443")).toEqual({ hostname: "0.0.0.0", port: 443 })
  expect(formatAddress(parseAddress("[::1]:80"))).toBe("[::1]:80")
  for (const bad of ["", "5000", "host", "host:", "host:x", "::1:5000", "a b:1", "h:65536", "http://h:1", "h/x:1"])
    expect(() => parseAddress(bad)).toThrow("expected HOST:PORT")
})

test("checkListener() wants a registry behind each proxy, and no prefix twice", () => {
  const proxied =
    (...proxies: { prefix: string; upstream: string }[]) =>
    () =>
      checkListener({ address: "127.0.0.1:0", proxies })
  expect(proxied({ prefix: "", upstream: "docker.io" }, { prefix: "q", upstream: "quay.io/team" })).not.toThrow()
  expect(proxied({ prefix: "a", upstream: "localhost:5000" })).not.toThrow()
  expect(proxied({ prefix: "a", upstream: "somewhere" })).toThrow("names no registry to fetch from")
  expect(proxied({ prefix: "a", upstream: "" })).toThrow("names no registry")
  expect(proxied({ prefix: "A", upstream: "docker.io" })).toThrow('Repository name "A" is invalid')
  expect(proxied({ prefix: "a", upstream: "x.io" }, { prefix: "a", upstream: "y.io" })).toThrow("Two proxies")
})
