import { expect, test } from "bun:test"
import { leaks, readHostState } from "./host-state.ts"

test("leaks() names what is new, by kind", () => {
  const before = { mounts: ["a"], interfaces: ["lo"] }
  const after = { mounts: ["a", "b"], interfaces: [] }
  expect(leaks(before, after)).toEqual(["mounts: b"])
})

test("readHostState() sees the loopback interface and the mount of /proc", () => {
  const state = readHostState()
  expect(state["interfaces"]).toContain("lo")
  expect(state["mounts"]?.some((line) => line.includes(" /proc "))).toBe(true)
})
