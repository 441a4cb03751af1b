import { expect, test } from "bun:test"
import { HUB_KEY, hostOf, keyOf } from "./address.ts"

test("hostOf() finds the one host in every way of writing a registry down", () => {
  const ways = [
    "registry.example.com",
    "https://registry.example.com/v2/",
    "http://registry.example.com",
    "registry.example.com/v1/",
  ]
  for (const way of ways) expect(hostOf(way)).toBe("registry.example.com")
  expect(hostOf("https://user:secret@registry.example.com:443/")).toBe("registry.example.com:443")
  expect(hostOf("[::1]:5000/x")).toBe("[::1]:5000")
  expect(hostOf(HUB_KEY)).toBe("index.docker.io")
})

test("keyOf() keeps Docker Hub under its old address", () => {
  expect(keyOf("docker.io")).toBe(HUB_KEY)
  expect(keyOf("index.docker.io")).toBe(HUB_KEY)
  expect(keyOf("registry.example.com:5000")).toBe("registry.example.com:5000")
})
