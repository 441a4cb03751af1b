import { expect, test } from "bun:test"
import { DetachWatcher, parseDetachKeys } from "./detach-keys.ts"

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

test("parseDetachKeys() reads letters and ctrl-letters, ctrl-p,ctrl-q if nothing is given", () => {
  expect(parseDetachKeys(undefined)).toEqual([16, 17])
  expect(parseDetachKeys("ctrl-a,d")).toEqual([1, 100])
  expect(parseDetachKeys("ctrl-@,ctrl-[,ctrl-\\")).toEqual([0, 27, 28])
  expect(() => parseDetachKeys("ctrl-1")).toThrow("unknown character 'ctrl-1'")
})

test("DetachWatcher finds the sequence, in one piece or several", () => {
  const watcher = new DetachWatcher([16, 17])
  expect(watcher.push(bytes(65, 16))).toEqual({ pass: bytes(65), detached: false })
  expect(watcher.push(bytes(17, 66))).toEqual({ pass: bytes(), detached: true })
})

test("DetachWatcher passes on keys that were not the sequence after all", () => {
  const watcher = new DetachWatcher([16, 17])
  expect(watcher.push(bytes(16))).toEqual({ pass: bytes(), detached: false })
  expect(watcher.push(bytes(65))).toEqual({ pass: bytes(16, 65), detached: false })
  expect(watcher.push(bytes(16, 16, 17))).toEqual({ pass: bytes(16), detached: true })
})
