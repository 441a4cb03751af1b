import { expect, test } from "bun:test"
import { containerCapabilities, DEFAULT_CAPABILITIES, normalizeCapabilities } from "./capabilities.ts"
import { hostFacts, sandboxFacts } from "./fixtures.ts"

const host = hostFacts()

test("normalizeCapabilities() takes names in any case, with and without prefix", () => {
  expect(normalizeCapabilities(["net_admin", "CAP_KILL", "all"], host)).toEqual(["CAP_NET_ADMIN", "CAP_KILL", "ALL"])
})

test("normalizeCapabilities() refuses what is unknown and what the host lacks, in Docker's words", () => {
  expect(() => normalizeCapabilities(["nope"], host)).toThrow('unknown capability: "CAP_NOPE"')
  expect(() => normalizeCapabilities(["sys_resource"], sandboxFacts())).toThrow(
    'capability not supported by your kernel or not available in the current environment: "CAP_SYS_RESOURCE"',
  )
})

test("containerCapabilities() adds, drops, and takes ALL either way", () => {
  expect(containerCapabilities({}, host)).toEqual(DEFAULT_CAPABILITIES)
  expect(containerCapabilities({ CapDrop: ["ALL"] }, host)).toEqual([])
  expect(containerCapabilities({ CapDrop: ["ALL"], CapAdd: ["kill"] }, host)).toEqual(["CAP_KILL"])
  expect(containerCapabilities({ CapAdd: ["ALL"], CapDrop: ["kill"] }, host)).toHaveLength(40)
  expect(containerCapabilities({ CapAdd: ["kill", "sys_admin"], CapDrop: ["mknod"] }, host)).toHaveLength(14)
})

test("containerCapabilities() of a privileged container are those the engine has", () => {
  expect(containerCapabilities({ Privileged: true }, sandboxFacts())).toHaveLength(40)
})
