import { expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  elfHead,
  handlerOf,
  isStatic,
  isUsable,
  MACHINES,
  ownRegistration,
  packagedRegistration,
  parseHandler,
  readHandlers,
} from "./emulation.ts"

/** As the kernel shows them, of what qemu-user-static registers. */
const ARM64 = `enabled
interpreter /usr/libexec/qemu-binfmt/aarch64-binfmt-P
flags: POF
offset 0
magic 7f454c460201010000000000000000000200b700
mask ffffffffffffff00fffffffffffffffffeffffff
`
const S390X = `enabled
interpreter /usr/bin/qemu-s390x-static
flags: 
offset 0
magic 7f454c4602020100000000000000000000020016
mask ffffffffffffff00fffffffffffffffffffeffff
`

function directory(files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(tmpdir(), "dhow-binfmt-"))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text)
  return path
}

test("readHandlers() reads what the kernel shows, and tells that nothing is mounted from nothing registered", () => {
  expect(readHandlers(directory({}))).toBeUndefined()
  expect(readHandlers(directory({ status: "enabled\n", register: "" }))).toEqual([])
  const [handler] = readHandlers(directory({ status: "enabled\n", "qemu-aarch64": ARM64 }))!
  expect(handler).toMatchObject({ name: "qemu-aarch64", flags: "POF", isEnabled: true, offset: 0 })
  expect(readHandlers(directory({ status: "disabled\n", "qemu-aarch64": ARM64 }))![0]!.isEnabled).toBe(false)
  const byName = directory({ status: "enabled\n", exe: "enabled\ninterpreter /x\nflags: \nextension .exe\n" })
  expect(readHandlers(byName)![0]).toMatchObject({ extension: "exe", interpreter: "/x" })
  expect(handlerOf(readHandlers(byName)!, "arm64")).toBeUndefined()
})

test("handlerOf() finds a handler by the bytes it takes, whatever its name is", () => {
  const handlers = [parseHandler("what-ever", ARM64), parseHandler("b", S390X)]
  expect(handlerOf(handlers, "arm64")!.name).toBe("what-ever")
  expect(handlerOf(handlers, "s390x")!.name).toBe("b")
  for (const other of ["amd64", "arm", "ppc64le", "nonsense"]) expect(handlerOf(handlers, other)).toBeUndefined()
})

test("isUsable() wants the flag F, without which a container would need the emulator inside", () => {
  expect(isUsable(parseHandler("a", ARM64))).toBe(true)
  expect(isUsable(parseHandler("a", S390X))).toBe(false)
  expect(isUsable(parseHandler("a", ARM64.replace("enabled", "disabled")))).toBe(false)
  const both = [parseHandler("old", ARM64.replace("POF", "PO")), parseHandler("new", ARM64)]
  expect(handlerOf(both, "arm64")!.name).toBe("new")
})

test("ownRegistration() takes exactly the programs of its architecture, of both types", () => {
  for (const [architecture, machine] of Object.entries(MACHINES)) {
    const line = ownRegistration(architecture, "/usr/bin/qemu")!
    const [, name = "", kind, offset, magic = "", mask = "", path, flags] = line.split(":")
    expect([name, kind, offset, path, flags]).toEqual([`qemu-${machine.qemu}`, "M", "", "/usr/bin/qemu", "F"])
    const hex = (text: string): string => text.replaceAll("\\x", "")
    const handler = parseHandler(
      name,
      `enabled\ninterpreter /usr/bin/qemu\nflags: F\noffset 0\nmagic ${hex(magic)}\nmask ${hex(mask)}\n`,
    )
    const takers = Object.keys(MACHINES).filter((other) => handlerOf([handler], other) !== undefined)
    expect(takers).toEqual([architecture])
    const shared = elfHead(machine)
    shared[machine.bigEndian === true ? 17 : 16] = 3
    expect(handler.magic.every((byte, at) => ((shared[at]! ^ byte) & handler.mask[at]!) === 0)).toBe(true)
  }
  expect(ownRegistration("arm64", "/has:colon")).toBeUndefined()
  expect(ownRegistration("nonsense", "/usr/bin/qemu")).toBeUndefined()
})

test("packagedRegistration() takes the package's own line, and nothing that is not one", () => {
  const line = ":qemu-aarch64:M::\\x7f\\x45:\\xff\\xff:/usr/libexec/qemu:OPF"
  const path = directory({
    "qemu-aarch64.conf": `# made by a package\n${line}\n`,
    "qemu-arm.conf": ":register:E::x::/y:\n",
  })
  expect(packagedRegistration("arm64", [path])).toBe(line)
  expect(packagedRegistration("arm", [path])).toBeUndefined()
  expect(packagedRegistration("s390x", [path])).toBeUndefined()
})

test("isStatic() knows a program that needs no loader", () => {
  const path = directory({ text: "#!/bin/sh\n" })
  mkdirSync(join(path, "directory"))
  expect(isStatic(join(path, "text"))).toBe(false)
  expect(isStatic(join(path, "directory"))).toBe(false)
  expect(isStatic(join(path, "nothing"))).toBe(false)
  // Bun's own program is linked dynamically.
  expect(isStatic(process.execPath)).toBe(false)
})
