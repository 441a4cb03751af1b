import { expect, test } from "bun:test"
import { readJsonColumn } from "./json-column.ts"

test("readJsonColumn() gives the object, and undefined for anything else", () => {
  expect(readJsonColumn<{ a: number }>('{"a":1}', 'test "whole"')).toEqual({ a: 1 })
  for (const text of ['{"a":', "", "null", "7"])
    expect(readJsonColumn<{ a: number }>(text, 'test "torn"')).toBeUndefined()
})
