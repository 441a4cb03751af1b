import { expect, test } from "bun:test"
import { resolveDevices } from "./devices.ts"

const DENY = { allow: false, access: "rwm" }

test("resolveDevices() of a container that asks for none denies all", () => {
  expect(resolveDevices({})).toMatchObject({ devices: [], rules: [DENY] })
})

test("resolveDevices() reads kind and numbers from the host", () => {
  const { devices, rules } = resolveDevices({
    Devices: [{ PathOnHost: "/dev/null", PathInContainer: "/dev/nothing", CgroupPermissions: "rw" }],
  })
  expect(devices).toMatchObject([{ path: "/dev/nothing", type: "c", major: 1, minor: 3, fileMode: 0o666 }])
  expect(rules).toEqual([DENY, { allow: true, type: "c", major: 1, minor: 3, access: "rw" }])
})

test("resolveDevices() takes rules in the kernel's notation", () => {
  const { rules } = resolveDevices({ DeviceCgroupRules: ["c 1:* r", "a *:* rwm"] })
  expect(rules.slice(1)).toEqual([
    { allow: true, type: "c", major: 1, access: "r" },
    { allow: true, type: "a", access: "rwm" },
  ])
  expect(() => resolveDevices({ DeviceCgroupRules: ["c 1:3"] })).toThrow("invalid device cgroup rule format: 'c 1:3'")
})

test("resolveDevices() of a privileged container are the host's, with no rule in the way", () => {
  const { devices, rules } = resolveDevices({ Privileged: true })
  expect(devices.map((device) => device.path)).toContain("/dev/null")
  expect(devices.map((device) => device.path)).not.toContain("/dev/ptmx")
  expect(rules).toEqual([{ allow: true, access: "rwm" }])
})

test("resolveDevices() says what is no device", () => {
  const device = (path: string) => () => resolveDevices({ Devices: [{ PathOnHost: path, PathInContainer: path }] })
  expect(device("/no/such/device")).toThrow(
    'error gathering device information while adding custom device "/no/such/device"',
  )
  expect(device("/etc/hostname")).toThrow("error gathering device information")
})
