import { expect, test } from "bun:test"
import { setMember, unsetMember } from "./edit.ts"

const FILE = `{
    "dns": ["10.0.0.1"],

    "gc": { "max": "80%" },
    "init": true
}
`

test("setMember() replaces a value and leaves the rest of the text as it was written", () => {
  expect(setMember(FILE, ["init"], false)).toBe(FILE.replace("true", "false"))
  expect(setMember(FILE, ["gc", "max"], "90%")).toBe(FILE.replace("80%", "90%"))
})

test("setMember() adds a member behind the last, indented like the others", () => {
  expect(setMember(FILE, ["debug"], true)).toBe(FILE.replace("true\n", 'true,\n    "debug": true\n'))
  expect(JSON.parse(setMember(FILE, ["gc", "floor"], "70%")).gc).toEqual({ max: "80%", floor: "70%" })
})

test("setMember() begins a file, and the objects on the way", () => {
  expect(setMember("", ["gc", "max"], "90%")).toBe('{\n  "gc": {\n    "max": "90%"\n  }\n}\n')
  expect(setMember("{}", ["init"], true)).toBe('{\n  "init": true\n}')
})

test("setMember() refuses to put a member into what is no object", () => {
  expect(() => setMember(FILE, ["init", "x"], 1)).toThrow('Cannot set "x": it is no member of an object')
})

test("unsetMember() takes a member with its comma, wherever it stands", () => {
  for (const name of ["dns", "gc", "init"]) {
    const rest = JSON.parse(unsetMember(FILE, [name]))
    expect(Object.keys(rest)).toEqual(["dns", "gc", "init"].filter((other) => other !== name))
  }
  expect(JSON.parse(unsetMember(FILE, ["gc", "max"])).gc).toEqual({})
  expect(unsetMember(FILE, ["nothing"])).toBe(FILE)
  expect(unsetMember(FILE, ["nothing", "here"])).toBe(FILE)
})
