import { expect, test } from "bun:test"
import { booleanFilter } from "../filters.ts"
import { matchesLabels, matchesReference } from "./filters.ts"

const STORED = "docker.io/library/busybox:1.36"

test("matchesReference() compares the familiar name with and without its tag", () => {
  for (const pattern of ["busybox", "busybox:*", "busy*", "*:1.36", "busybox:1.[0-9]6", "b?sybox"])
    expect(matchesReference(pattern, STORED)).toBe(true)
  for (const pattern of ["*/busybox", "busybox:2", "library/*", "busybox:1.[^3]6"])
    expect(matchesReference(pattern, STORED)).toBe(false)
  expect(matchesReference("distro.local/*", "distro.local/debian:bookworm")).toBe(true)
  expect(matchesReference("*", "distro.local/debian:bookworm")).toBe(false)
})

test("matchesReference() refuses a broken pattern and no honest character is special", () => {
  expect(() => matchesReference("busy[", STORED)).toThrow('syntax error in pattern "busy["')
  expect(matchesReference("busybox:1+36", STORED)).toBe(false)
})

test("matchesLabels() wants every entry", () => {
  expect(matchesLabels([], undefined)).toBe(true)
  expect(matchesLabels(["a", "b=1"], { a: "", b: "1" })).toBe(true)
  expect(matchesLabels(["b=2"], { b: "1" })).toBe(false)
  expect(matchesLabels(["a"], {})).toBe(false)
})

test("booleanFilter() says what Docker says", () => {
  expect(booleanFilter(new Map(), "dangling", true)).toBe(true)
  expect(booleanFilter(new Map([["dangling", ["0"]]]), "dangling", true)).toBe(false)
  expect(() => booleanFilter(new Map([["dangling", ["maybe"]]]), "dangling", true)).toThrow(
    "invalid filter 'dangling=[maybe]'",
  )
})
