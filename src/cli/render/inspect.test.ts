import { expect, test } from "bun:test"
import { templateOf } from "./inspect.ts"

const object = { Config: { Entrypoint: null, Labels: null, Cmd: ["sh"] }, State: { Status: "running" }, Init: null }

test.each([
  ["{{.Config.Entrypoint}} {{json .Config.Entrypoint}} {{len .Config.Entrypoint}}", "[] null 0"],
  ["{{.Config.Labels}} {{json .Config.Labels}}", "map[] null"],
  ["{{.Init}}", "<nil>"],
  ["{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}", "none"],
])("a template shows %p as docker does", (source, expected) => {
  expect(templateOf(source)(object)).toBe(expected)
})

test("a field that no object has is an error", () => {
  expect(() => templateOf("{{.Foo}}")(object)).toThrow('map has no entry for key "Foo"')
})
