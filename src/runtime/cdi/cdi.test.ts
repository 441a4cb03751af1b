import { afterAll, describe, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { hostFacts, specInput } from "../fixtures.ts"
import { containerSpec } from "../spec.ts"
import { withCdiDevices } from "./apply.ts"
import { readCdiDevices } from "./devices.ts"
import { requestedDevices } from "./requests.ts"
import { parseCdiSpec } from "./spec-file.ts"

const root = mkdtempSync(join(tmpdir(), "dhow-cdi-"))
afterAll(() => rmSync(root, { recursive: true, force: true }))

let serial = 0
function directory(files: Readonly<Record<string, string | object>>): string {
  const path = join(root, String(serial++))
  mkdirSync(path)
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(path, name), typeof content === "string" ? content : JSON.stringify(content))
  return path
}

const file = (kind: string, devices: Readonly<Record<string, object>>, containerEdits: object = {}) => ({
  cdiVersion: "0.6.0",
  kind,
  containerEdits,
  devices: Object.entries(devices).map(([name, edits]) => ({ name, containerEdits: edits })),
})
const plain = () => containerSpec(specInput({ host: hostFacts() })).spec

describe("parseCdiSpec()", () => {
  test.each([
    [null, "the file is no object"],
    [[], "the file is no object"],
    [{}, '"cdiVersion" is no text'],
    [{ cdiVersion: "7.0" }, "version"],
    [{ cdiVersion: "0.6.0", kind: "gpu" }, "kind"],
    [{ cdiVersion: "0.6.0", kind: "a.com/../x" }, "kind"],
    [file("a.com/b", {}), "it has no devices"],
    [file("a.com/b", { "../x": {} }), "device name"],
    [file("a.com/b", { x: { env: ["=y"] } }), "NAME=VALUE"],
    [file("a.com/b", { x: { env: "A=1" } }), '"env" is no list'],
    [file("a.com/b", { x: { deviceNodes: [{ path: "dev/x" }] } }), "is not absolute"],
    [file("a.com/b", { x: { deviceNodes: [{ path: "/dev/x", type: "z" }] } }), "device type"],
    [file("a.com/b", { x: { deviceNodes: [{ path: "/dev/x", major: -1 }] } }), '"major" is no number'],
    [file("a.com/b", { x: { deviceNodes: [{ path: "/dev/x", permissions: "rwx" }] } }), "device permissions"],
    [file("a.com/b", { x: { hooks: [{ hookName: "later", path: "/x" }] } }), 'hook "later" is not known'],
    [file("a.com/b", { x: { mounts: [{ hostPath: "/x" }] } }), '"containerPath" is no text'],
    [file("a.com/b", { x: { intelRdt: {} } }), '"intelRdt" is not supported'],
  ])("refuses %j", (value, message) => {
    expect(() => parseCdiSpec(value)).toThrow(message)
  })
})

describe("readCdiDevices()", () => {
  test("reads JSON and YAML, the later directory before the earlier, and no other files", () => {
    const first = directory({
      "a.json": file("v.com/d", { one: { env: ["FROM=first"] } }),
      "b.yaml": 'cdiVersion: "0.5.0"\nkind: v.com/d\ndevices:\n- name: two\n  containerEdits: {env: ["A=1"]}\n',
      "note.txt": "{",
    })
    const second = directory({ "a.json": file("v.com/d", { one: { env: ["FROM=second"] } }) })
    const { devices, problems } = readCdiDevices([first, second, join(root, "none")])
    expect([...devices.keys()].sort()).toEqual(["v.com/d=one", "v.com/d=two"])
    expect(devices.get("v.com/d=one")?.edits.env).toEqual(["FROM=second"])
    expect(problems).toEqual([])
  })
  test("says what cannot be used and goes on; a device that is there twice in one directory is nobody's", () => {
    const path = directory({
      "a.json": file("v.com/d", { one: {}, two: {} }),
      "b.json": file("v.com/d", { one: {} }),
      "c.json": "{",
      "d.yaml": "a: [",
    })
    const { devices, problems } = readCdiDevices([path])
    expect([...devices.keys()]).toEqual(["v.com/d=two"])
    expect(problems).toHaveLength(3)
    expect(problems[0]).toContain('conflicting device "v.com/d=one"')
  })
})

describe("requestedDevices()", () => {
  const gpus = readCdiDevices([directory({ "n.json": file("nvidia.com/gpu", { 0: {}, 1: {}, all: {} }) })])
  const names = (request: object): string[] => requestedDevices([request], gpus).map(({ name }) => name)
  const gpu = { Capabilities: [["gpu"]] }
  test("finds GPUs by count, by id and all of them", () => {
    expect(names({ ...gpu, Count: -1 })).toEqual(["nvidia.com/gpu=all"])
    expect(names({ ...gpu, Count: 2, Driver: "nvidia" })).toEqual(["nvidia.com/gpu=0", "nvidia.com/gpu=1"])
    expect(names({ ...gpu, DeviceIDs: ["1"] })).toEqual(["nvidia.com/gpu=1"])
    expect(names({ Driver: "cdi", DeviceIDs: ["nvidia.com/gpu=0", "nvidia.com/gpu=0"] })).toEqual(["nvidia.com/gpu=0"])
  })
  test.each([
    [{ ...gpu, Count: 3 }, "unresolvable CDI devices nvidia.com/gpu=2"],
    [{ ...gpu, Count: 1, DeviceIDs: ["0"] }, "cannot set both Count and DeviceIDs on device request"],
    [{ ...gpu, Driver: "amd" }, 'could not select device driver "amd" with capabilities: [[gpu]]'],
    [{ Capabilities: [["tpu", "x"]] }, 'could not select device driver "" with capabilities: [[tpu x]]'],
    [{ Driver: "cdi", DeviceIDs: ["v.com/d=x"] }, "CDI device injection failed: unresolvable CDI devices v.com/d=x"],
    [{ Driver: "cdi", Count: 1 }, "unexpected count in CDI device request"],
    [{ Driver: "cdi", Options: { a: "b" } }, "unexpected options in CDI device request"],
  ])("refuses %j", (request, message) => {
    expect(() => names(request)).toThrow(message)
  })
})

test("withCdiDevices() adds variables, nodes with their rules, mounts, hooks and groups; a file's own edits once", () => {
  const path = directory({
    "v.json": file(
      "v.com/d",
      {
        one: {
          env: ["PATH=/only"],
          deviceNodes: [{ path: "/dev/v", hostPath: "/dev/null", permissions: "r" }],
          mounts: [{ hostPath: "/etc", containerPath: "/sys" }],
        },
        two: {
          deviceNodes: [{ path: "/dev/w", type: "b", major: 8, minor: 3, uid: 7, gid: 8, fileMode: 0o600 }],
          hooks: [{ hookName: "prestart", path: "/bin/true", args: ["true"] }],
          additionalGids: [0, 44],
        },
      },
      { env: ["COMMON=1"], hooks: [{ hookName: "prestart", path: "/bin/first" }] },
    ),
  })
  const before = plain()
  const spec = withCdiDevices(before, [{ Driver: "cdi", DeviceIDs: ["v.com/d=one", "v.com/d=two"] }], [path])
  expect(spec.process.env).toEqual([
    ...before.process.env.filter((e) => !e.startsWith("PATH=")),
    "COMMON=1",
    "PATH=/only",
  ])
  expect(spec.linux.devices).toContainEqual(
    expect.objectContaining({ path: "/dev/v", type: "c", major: 1, minor: 3 }) as never,
  )
  expect(spec.linux.devices).toContainEqual({
    ...{ path: "/dev/w", type: "b", major: 8, minor: 3, uid: 7, gid: 8, fileMode: 0o600 },
  })
  expect(spec.linux.resources.devices?.slice(-2)).toEqual([
    { allow: true, type: "c", major: 1, minor: 3, access: "r" },
    { allow: true, type: "b", major: 8, minor: 3, access: "rwm" },
  ])
  expect(spec.mounts.filter(({ destination }) => destination === "/sys")).toEqual([
    { destination: "/sys", type: "bind", source: "/etc", options: ["rbind", "ro"] },
  ])
  expect(spec.hooks).toEqual({ prestart: [{ path: "/bin/first" }, { path: "/bin/true", args: ["true"] }] })
  expect(spec.process.user.additionalGids).toContain(44)
  expect(withCdiDevices(before, [], [path])).toBe(before)
})

test("withCdiDevices() refuses a device whose node is not on this host", () => {
  const path = directory({
    "v.json": file("v.com/d", {
      gone: { deviceNodes: [{ path: "/dev/not-there" }] },
      wrong: { deviceNodes: [{ path: "/dev/x", hostPath: "/etc/passwd" }] },
    }),
  })
  for (const name of ["gone", "wrong"])
    expect(() => withCdiDevices(plain(), [{ Driver: "cdi", DeviceIDs: [`v.com/d=${name}`] }], [path])).toThrow(
      "failed to stat CDI host device",
    )
})
