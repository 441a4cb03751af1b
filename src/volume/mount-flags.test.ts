import { expect, test } from "bun:test"
import { MS } from "../lib/syscalls/mount.ts"
import { parseMountWords, wordValue } from "./mount-flags.ts"

test("parseMountWords() parts flags, propagation and data", () => {
  expect(parseMountWords("bind,ro,rslave")).toEqual({
    flags: MS.BIND | MS.RDONLY,
    propagation: MS.SLAVE | MS.REC,
    data: "",
  })
  expect(parseMountWords("addr=10.0.0.1,nosuid,vers=4,soft")).toEqual({
    flags: MS.NOSUID,
    propagation: 0,
    data: "addr=10.0.0.1,vers=4,soft",
  })
  expect(parseMountWords("")).toEqual({ flags: 0, propagation: 0, data: "" })
})

test("parseMountWords() lets a later word take an earlier one back", () => {
  expect(parseMountWords("ro,rw").flags).toBe(0)
  expect(parseMountWords("noexec,defaults").flags).toBe(MS.NOEXEC)
})

test("wordValue() finds one word's value", () => {
  expect(wordValue("vers=4,addr=host,addr2=x", "addr")).toBe("host")
  expect(wordValue("vers=4", "addr")).toBeUndefined()
})
