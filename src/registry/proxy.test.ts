import { expect, test } from "bun:test"
import { proxyFor } from "./proxy.ts"

const through = (url: string, no = "") =>
  proxyFor(new URL(url), { HTTPS_PROXY: "http://proxy.example:3128", http_proxy: "proxy.example:80", NO_PROXY: no })

test("proxyFor() chooses by scheme and adds the scheme that a proxy lacks", () => {
  expect(through("https://registry.example/v2/")).toBe("http://proxy.example:3128")
  expect(through("http://registry.example/v2/")).toBe("http://proxy.example:80")
  expect(proxyFor(new URL("https://registry.example"), {})).toBeUndefined()
})

test("proxyFor() is direct for loopback and for what NO_PROXY names", () => {
  expect(through("http://127.0.0.1:5000/")).toBeUndefined()
  expect(through("https://localhost:5000/")).toBeUndefined()
  for (const no of ["*", "example", "registry.example", ".example", "*.example", "a, registry.example:443"])
    expect(through("https://registry.example/", no)).toBeUndefined()
  for (const no of ["other.example", "egistry.example", "registry.example:80", "", "10.0.0.0/8"])
    expect(through("https://registry.example/", no)).toBeDefined()
})

test("proxyFor() knows address blocks", () => {
  expect(through("https://10.1.2.3/", "10.0.0.0/8")).toBeUndefined()
  expect(through("https://11.1.2.3/", "10.0.0.0/8,bad/999,10.0.0.0/99")).toBeDefined()
  expect(through("https://[fd00::1]:5000/", "fd00::/8")).toBeUndefined()
})
