import { expect, test } from "bun:test"
import { parseOptions } from "./options.ts"

const CASES = ["run-bridge", "images-debian", "images-large"]

test("parseOptions() takes groups of cases by the beginning of their names", () => {
  expect(parseOptions([], CASES).only).toEqual(CASES)
  expect(parseOptions(["images"], CASES).only).toEqual(["images-debian", "images-large"])
  expect(parseOptions(["images-large", "--only", "run-bridge"], CASES).only).toEqual(["run-bridge", "images-large"])
  expect(() => parseOptions(["image"], CASES)).toThrow('There is no case "image" or "image-…"')
})
