import { expect, test } from "bun:test"
import { parseVersion, programVersion } from "./programs.ts"

test.each([
  ["crun version 1.8.1\ncommit: f8a096be\nrundir: /run/crun\nspec: 1.0.0\n", { version: "1.8.1", commit: "f8a096be" }],
  ["conmon version 2.1.6\ncommit: unknown\n", { version: "2.1.6", commit: "" }],
  ["tini version 0.1.7_catatonit\n", { version: "0.1.7_catatonit", commit: "" }],
  ["what?", { version: "", commit: "" }],
])("parseVersion() of %j", (text, expected) => {
  expect(parseVersion(text)).toEqual(expected)
})

test("programVersion() of a program that is not there is empty", async () => {
  expect(await programVersion("/nonexistent/x")).toEqual({ name: "x", version: "", commit: "" })
})
