import { describe, expect, test } from "bun:test"
import { hostFacts, specInput } from "./fixtures.ts"
import { selinuxLabels } from "./labels.ts"
import { containerSpec } from "./spec.ts"

describe("selinuxLabels()", () => {
  test("are none without a word, and with disable", () => {
    expect(selinuxLabels([])).toBeUndefined()
    expect(selinuxLabels(["type:x_t", "disable"])).toBeUndefined()
  })
  test("are the container's, but for the parts that are asked for", () => {
    expect(selinuxLabels(["type:my_t", "level:s0:c1,c2"])).toEqual({
      process: "system_u:system_r:my_t:s0:c1,c2",
      mount: "system_u:object_r:container_file_t:s0:c1,c2",
    })
    expect(selinuxLabels(["filetype:data_t", "user:u", "role:r"])).toEqual({
      process: "u:r:container_t:s0",
      mount: "u:object_r:data_t:s0",
    })
  })
  test.each(["type", "colour:red", ":x", "type:"])("refuse %p", (option) => {
    expect(() => selinuxLabels([option])).toThrow("bad label option")
  })
})

test("containerSpec() carries labels where the kernel has SELinux, and only there", () => {
  const hostConfig = { SecurityOpt: ["label=type:my_t"] }
  const { spec } = containerSpec(specInput({ hostConfig, host: hostFacts({ selinux: true }) }))
  expect(spec.process.selinuxLabel).toBe("system_u:system_r:my_t:s0")
  expect(spec.linux.mountLabel).toBe("system_u:object_r:container_file_t:s0")
  expect(containerSpec(specInput({ hostConfig })).spec.process.selinuxLabel).toBeUndefined()
})
