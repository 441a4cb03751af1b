import { expect, test } from "bun:test"
import { parseSecurityOptions } from "./security-options.ts"

test("parseSecurityOptions() reads both notations and bare words", () => {
  const options = [
    "no-new-privileges",
    "seccomp:unconfined",
    "apparmor=unconfined",
    "label=disable",
    "writable-cgroups=true",
  ]
  expect(parseSecurityOptions(options)).toEqual({
    noNewPrivileges: true,
    seccomp: "unconfined",
    apparmor: "unconfined",
    writableCgroups: true,
    unconfinedPaths: false,
    labels: ["disable"],
  })
  expect(parseSecurityOptions(["no-new-privileges:false"]).noNewPrivileges).toBe(false)
  expect(parseSecurityOptions(['seccomp={"a":"b=c"}']).seccomp).toBe('{"a":"b=c"}')
})

test("parseSecurityOptions() refuses what it does not know", () => {
  for (const option of ["bogus", "bogus=1", "no-new-privileges=maybe", "seccomp", "systempaths=x"])
    expect(() => parseSecurityOptions([option])).toThrow("invalid --security-opt")
})
