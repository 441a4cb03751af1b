import { expect, test } from "bun:test"
import type { Figures } from "./figures.ts"
import { judge } from "./verdict.ts"

const MIB = 1024 * 1024
const idle: Figures = {
  memory: 60 * MIB,
  descriptors: 20,
  threads: 10,
  processes: 0,
  monitors: 0,
  mounts: 4,
  cgroups: 0,
  namespaces: 2,
  interfaces: 2,
  rules: 20,
  stateFiles: 0,
  snapshots: 2,
  volumes: 0,
  database: MIB,
}
const rest = (minute: number, changes: Partial<Figures> = {}) => ({ minute, figures: { ...idle, ...changes } })

test("judge() finds nothing where nothing grew", () => {
  expect(judge([rest(10), rest(20, { memory: 50 * MIB }), rest(120)])).toEqual([])
})

test("judge() names one mount, namespace or cgroup too many", () => {
  expect(judge([rest(10), rest(120, { mounts: 5 })])).toEqual(["mounts: 4 at the first rest, 5 at the last"])
  expect(judge([rest(10), rest(120, { namespaces: 3, cgroups: 1 })])).toHaveLength(2)
})

test("judge() allows memory some growth, and no more", () => {
  expect(judge([rest(10), rest(70, { memory: 90 * MIB })])).toEqual([])
  expect(judge([rest(10), rest(70, { memory: 100 * MIB })])[0]).toStartWith("memory: grew by 40.0 MiB")
})

test("judge() names descriptors and a database beyond its bound", () => {
  expect(judge([rest(0), rest(1, { descriptors: 30, database: 50 * MIB })])).toHaveLength(2)
})

test("judge() cannot say a word about a single rest", () => {
  expect(judge([rest(10)])).toHaveLength(1)
})
