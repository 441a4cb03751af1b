import { expect, test } from "bun:test"
import { DEFAULT_CAPABILITIES } from "./capabilities.ts"
import { hostFacts } from "./fixtures.ts"
import { defaultSeccomp, parseSeccomp, serializeSeccomp } from "./seccomp.ts"

const host = hostFacts()
const allows = (name: string, capabilities: readonly string[]): boolean =>
  defaultSeccomp(capabilities, host).syscalls!.some(
    (rule) => rule.action === "SCMP_ACT_ALLOW" && rule.names.includes(name) && rule.args === undefined,
  )

test("defaultSeccomp() allows by capability", () => {
  for (const name of ["mount", "unshare", "bpf", "setns", "reboot", "init_module", "keyctl", "add_key", "kexec_load"])
    expect(allows(name, DEFAULT_CAPABILITIES)).toBe(false)
  for (const name of ["openat2", "execve", "ptrace", "chroot"]) expect(allows(name, DEFAULT_CAPABILITIES)).toBe(true)
  expect(allows("mount", [...DEFAULT_CAPABILITIES, "CAP_SYS_ADMIN"])).toBe(true)
  expect(allows("clone", DEFAULT_CAPABILITIES)).toBe(false)
  expect(allows("clone", ["CAP_SYS_ADMIN"])).toBe(true)
})

test("defaultSeccomp() depends on architecture and kernel", () => {
  const old = defaultSeccomp([], hostFacts({ kernel: { release: "4.4", major: 4, minor: 4 } }))
  expect(old.syscalls!.some((rule) => rule.names.includes("ptrace"))).toBe(false)
  const arm = defaultSeccomp([], hostFacts({ architecture: "arm64" }))
  expect(arm.architectures).toEqual(["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"])
  expect(arm.syscalls!.some((rule) => rule.names.includes("arch_prctl"))).toBe(false)
})

test("defaultSeccomp() answers the same question with the same object, serialized once", () => {
  const first = defaultSeccomp(DEFAULT_CAPABILITIES, host)
  expect(defaultSeccomp([...DEFAULT_CAPABILITIES], hostFacts())).toBe(first)
  expect(serializeSeccomp(first)).toBe(serializeSeccomp(first))
})

test("parseSeccomp() reads Docker's file format", () => {
  const profile = {
    defaultAction: "SCMP_ACT_ERRNO",
    archMap: [{ architecture: "SCMP_ARCH_X86_64", subArchitectures: ["SCMP_ARCH_X86"] }],
    syscalls: [
      { name: "read", action: "SCMP_ACT_ALLOW", args: null },
      { names: ["mount"], action: "SCMP_ACT_ALLOW", includes: { caps: ["CAP_SYS_ADMIN"] } },
    ],
  }
  expect(parseSeccomp(JSON.stringify(profile), [], host)).toEqual({
    defaultAction: "SCMP_ACT_ERRNO",
    architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
    syscalls: [{ names: ["read"], action: "SCMP_ACT_ALLOW" }],
  })
  expect(parseSeccomp("{}", [], host)).toBeUndefined()
})

test("parseSeccomp() keeps 64-bit values exactly", () => {
  const text =
    '{"defaultAction":"A","syscalls":[{"names":["x"],"action":"B","args":[{"index":0,"value":18446744073709551615,"op":"C"}]}]}'
  expect(serializeSeccomp(parseSeccomp(text, [], host)!)).toContain('"value":18446744073709551615')
})

test("parseSeccomp() refuses what is no profile", () => {
  for (const text of ["nonsense", "[]", '{"syscalls":[{"name":"a","names":["b"],"action":"X"}]}'])
    expect(() => parseSeccomp(text, [], host)).toThrow()
})
