import { describe, expect, test } from "bun:test"
import { parseDetachKeys } from "../../lib/detach-keys.ts"
import { watchForDetach } from "./detach-keys.ts"

test("parseDetachKeys() reads Docker's notation", () => {
  expect([...parseDetachKeys("")]).toEqual([16, 17])
  expect([...parseDetachKeys("ctrl-a,x,ctrl-@,ctrl-\\,DEL")]).toEqual([1, 120, 0, 28, 127])
  for (const bad of ["ctrl-", "ctrl-1", "ab", "a,,b"])
    expect(() => parseDetachKeys(bad)).toThrow(`Invalid detach keys (${bad}) provided`)
})

describe("watchForDetach()", () => {
  function watch(keys: string, writes: string[]): { passed: string; detached: number; ended: boolean } {
    const seen = { passed: "", detached: 0, ended: false }
    const sink = watchForDetach(
      {
        write(chunk) {
          seen.passed += Buffer.from(chunk).toString("latin1")
          return true
        },
        drained: async () => {},
        end() {
          seen.ended = true
        },
      },
      parseDetachKeys(keys),
      () => seen.detached++,
    )
    for (const text of writes) sink.write(Buffer.from(text, "latin1"))
    sink.end()
    return seen
  }

  test("passes everything on while the sequence does not come", () => {
    expect(watch("", ["abc", "\x10x", "d"])).toEqual({ passed: "abc\x10xd", detached: 0, ended: true })
  })
  test("detaches at the sequence, in one write or two, and passes on only what came before", () => {
    const expected = { passed: "ab", detached: 1, ended: false }
    expect(watch("", ["ab\x10\x11cd", "ef"])).toEqual(expected)
    expect(watch("", ["ab\x10", "\x11cd"])).toEqual(expected)
  })
  test("starts again when a key repeats", () => {
    expect(watch("", ["\x10\x10\x11"])).toEqual({ passed: "\x10", detached: 1, ended: false })
    expect(watch("a,a,b", ["a", "a", "a", "b"])).toEqual({ passed: "a", detached: 1, ended: false })
    expect(watch("a,b,a,c", ["ababac"])).toEqual({ passed: "ab", detached: 1, ended: false })
  })
  test("gives up held keys when the input ends", () => {
    expect(watch("", ["a\x10"])).toEqual({ passed: "a\x10", detached: 0, ended: true })
  })
})
