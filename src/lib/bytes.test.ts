import { expect, test } from "bun:test"
import { copyOf } from "./bytes.ts"

test("copyOf() copies a Buffer's bytes too", () => {
  const buffer = Buffer.from("abc")
  const copy = copyOf(buffer.subarray(1))
  buffer.fill(0)
  expect([...copy]).toEqual([98, 99])
})
