import { expect, test } from "bun:test"
import { commandOf, mergeConfig } from "./merge-config.ts"

const image = {
  Env: ["PATH=/bin", "LANG=C"],
  Entrypoint: ["/entry"],
  Cmd: ["serve"],
  Labels: { a: "image", b: "image" },
  WorkingDir: "/srv",
  ExposedPorts: { "80/tcp": {} },
  Healthcheck: { Test: ["CMD", "true"], Interval: 5 },
}

test("mergeConfig() takes the image's command and entry point where the user says nothing", () => {
  const merged = mergeConfig({}, image)
  expect(commandOf(merged)).toEqual({ path: "/entry", args: ["serve"] })
  expect(merged.WorkingDir).toBe("/srv")
})

test("mergeConfig() gives the user's command to the image's entry point", () => {
  expect(commandOf(mergeConfig({ Cmd: ["other", "-x"] }, image))).toEqual({ path: "/entry", args: ["other", "-x"] })
})

test("mergeConfig() drops the image's command when the user gives an entry point", () => {
  expect(commandOf(mergeConfig({ Entrypoint: ["/mine"] }, image))).toEqual({ path: "/mine", args: [] })
})

test('mergeConfig() drops the image\'s entry point for [""]', () => {
  expect(commandOf(mergeConfig({ Entrypoint: [""], Cmd: ["sh"] }, image))).toEqual({ path: "sh", args: [] })
})

test("mergeConfig() refuses a container without any command", () => {
  expect(() => mergeConfig({}, {})).toThrow("no command specified")
  expect(() => mergeConfig({ Entrypoint: [""] }, image)).toThrow("no command specified")
})

test("mergeConfig() lets the user's variables, labels and health settings win one by one", () => {
  const merged = mergeConfig({ Env: ["LANG=de", "X"], Labels: { a: "user" }, Healthcheck: { Interval: 9 } }, image)
  expect(merged.Env).toEqual(["LANG=de", "X", "PATH=/bin"])
  expect(merged.Labels).toEqual({ a: "user", b: "image" })
  expect(merged.Healthcheck).toEqual({ Test: ["CMD", "true"], Interval: 9 })
})

test("mergeConfig() joins exposed ports and volumes", () => {
  const merged = mergeConfig(
    { ExposedPorts: { "53/udp": {} }, Volumes: { "/data": {} } },
    { ...image, Volumes: { "/log": {} } },
  )
  expect(Object.keys(merged.ExposedPorts ?? {}).sort()).toEqual(["53/udp", "80/tcp"])
  expect(Object.keys(merged.Volumes ?? {}).sort()).toEqual(["/data", "/log"])
})
