import { expect, test } from "bun:test"
import { placeOf, whiteoutOf } from "./place.ts"

test("placeOf() reads a name as a path below the root, whatever it says", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["a", "a", "."],
    ["./a/b", "a/b", "a"],
    ["/a//b/", "a/b", "a"],
    ["../../a", "a", "."],
    ["a/../../b", "b", "."],
    ["a/./b/..", "a", "."],
    ["./", ".", "."],
    ["..", ".", "."],
    ["", ".", "."],
    ["...", "...", "."],
    ["a/..b/.c", "a/..b/.c", "a/..b"],
  ]
  for (const [given, path, parent] of cases) expect(placeOf(given)).toMatchObject({ path, parent })
})

test("whiteoutOf() tells whiteouts from files", () => {
  expect(whiteoutOf("wh.a")).toBeUndefined()
  expect(whiteoutOf(".wh.a")).toEqual({ kind: "file", name: "a" })
  expect(whiteoutOf(".wh..a")).toEqual({ kind: "file", name: ".a" })
  expect(whiteoutOf(".wh..wh..opq")).toEqual({ kind: "opaque" })
  expect(whiteoutOf(".wh..wh.plnk")).toEqual({ kind: "ignored" })
  for (const name of [".wh.", ".wh..", ".wh..."]) expect(() => whiteoutOf(name)).toThrow("names no file")
})
