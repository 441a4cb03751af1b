import { expect, test } from "bun:test"
import { finishOf } from "./report.ts"

test("finishOf() puts no end before its start, however coarse the clock that saw it", () => {
  const start = "2030-01-01T00:00:00.210500000Z"
  const at = (text: string): number => finishOf(start, new Date(text))
  expect(at("2030-01-01T00:00:00.209Z")).toBe(Date.parse("2030-01-01T00:00:00.211Z"))
  expect(at("2030-01-01T00:00:00.210Z")).toBe(Date.parse("2030-01-01T00:00:00.211Z"))
  expect(at("2030-01-01T00:00:02Z")).toBe(Date.parse("2030-01-01T00:00:02Z"))
})
