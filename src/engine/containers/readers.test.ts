import { expect, test } from "bun:test"
import { Readers } from "./readers.ts"

test("gone() waits for the last of several readers, and for none where there is none", async () => {
  const readers = new Readers()
  await readers.gone("a")
  const first = readers.hold("a")
  const second = readers.hold("a")
  let isGone = false
  const gone = readers.gone("a").then(() => {
    isGone = true
  })
  first[Symbol.dispose]()
  first[Symbol.dispose]()
  await Promise.resolve()
  expect([readers.has("a"), readers.has("b"), isGone]).toEqual([true, false, false])
  second[Symbol.dispose]()
  await gone
  expect(readers.has("a")).toBe(false)
})
