import { afterAll, expect, test } from "bun:test"
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describeProblem, type FileHandler, hintFor, inspectExecutable } from "./executable.ts"

const rootfs = mkdtempSync(join(tmpdir(), "dhow-executable-"))
afterAll(() => rmSync(rootfs, { recursive: true, force: true }))

function put(path: string, bytes: Uint8Array | string, mode = 0o755): void {
  writeFileSync(join(rootfs, path), bytes)
  chmodSync(join(rootfs, path), mode)
}

/** A 64-bit little-endian ELF head with one PT_INTERP entry, or none. */
function elf(machine: number, interpreter?: string): Uint8Array {
  const head = Buffer.alloc(512)
  head.write("\x7fELF\x02\x01\x01", 0, "latin1")
  head.writeUInt16LE(machine, 18)
  head.writeBigUInt64LE(64n, 32)
  head.writeUInt16LE(56, 54)
  if (interpreter !== undefined) {
    head.writeUInt16LE(1, 56)
    head.writeUInt32LE(3, 64)
    head.writeBigUInt64LE(200n, 64 + 8)
    head.writeBigUInt64LE(BigInt(interpreter.length + 1), 64 + 32)
    head.write(interpreter, 200)
  }
  return head
}

mkdirSync(join(rootfs, "bin"))
mkdirSync(join(rootfs, "lib"))
put("bin/static", elf(62))
put("lib/ld.so", elf(62))
put("bin/dynamic", elf(62, "/lib/ld.so"))
put("bin/orphan", elf(62, "/lib/none.so"))
put("bin/foreign", elf(183))
put("bin/script", "#!/bin/dynamic -e\n")
put("bin/lost", "#! /bin/none\n")
put("bin/foreign-script", "#!/bin/foreign\n")
put("bin/plain", "text", 0o644)
put("bin/noise", "noise")
put("bin/cut", elf(62, "/lib/ld.so").slice(0, 80))
symlinkSync("/bin/static", join(rootfs, "bin/link"))
symlinkSync("../../../../../../../../bin/sh", join(rootfs, "bin/escape"))

put("bin/windows", "#!/bin/static\r\necho\r\n")
const handler: { now: FileHandler | undefined } = { now: undefined }

const inspect = (command: string, env: readonly string[] = ["PATH=/nowhere:/bin"]) =>
  inspectExecutable(rootfs, { command, cwd: "/", env, architecture: "amd64", handlerFor: () => handler.now })

test("inspectExecutable() finds nothing wrong with what runs", () => {
  for (const command of ["static", "/bin/dynamic", "script", "bin/link", "/bin/cut"])
    expect(inspect(command)).toBeUndefined()
})

test("inspectExecutable() names what is wrong", () => {
  expect(inspect("none")).toEqual({ problem: "not-found" })
  expect(inspect("/bin")).toEqual({ problem: "directory", path: "/bin" })
  expect(inspect("plain")).toEqual({ problem: "not-executable", path: "/bin/plain" })
  expect(inspect("noise")).toEqual({ problem: "unknown-format", path: "/bin/noise" })
  expect(inspect("foreign")).toEqual({ problem: "architecture", path: "/bin/foreign", built: "arm64", host: "amd64" })
  expect(inspect("foreign-script")).toMatchObject({ problem: "architecture", path: "/bin/foreign" })
  expect(inspect("orphan")).toEqual({
    problem: "missing-interpreter",
    path: "/bin/orphan",
    interpreter: "/lib/none.so",
  })
  expect(inspect("lost")).toEqual({ problem: "missing-interpreter", path: "/bin/lost", interpreter: "/bin/none" })
})

test("inspectExecutable() does not follow links out of the root", () => {
  expect(inspect("escape")).toEqual({ problem: "not-found" })
})

test("describeProblem() keeps the phrases by which clients choose an exit status", () => {
  expect(describeProblem("x", { problem: "not-found" })).toContain("executable file not found in $PATH")
  expect(describeProblem("/x", { problem: "not-found" })).toContain("no such file or directory")
  expect(describeProblem("/x", { problem: "directory", path: "/x" })).toContain("permission denied")
})

test("inspectExecutable() lets pass what the kernel hands to an emulator that is open or in the container", () => {
  expect(inspect("foreign")?.problem).toBe("architecture")
  try {
    handler.now = { interpreter: "/usr/bin/qemu", flags: "POF" }
    for (const command of ["foreign", "foreign-script", "noise"]) expect(inspect(command)).toBeUndefined()
    handler.now = { interpreter: "/usr/bin/qemu", flags: "" }
    expect(inspect("foreign")?.problem).toBe("architecture")
    expect(inspect("noise")?.problem).toBe("unknown-format")
    handler.now = { interpreter: "/bin/static", flags: "" }
    expect(inspect("foreign")).toBeUndefined()
  } finally {
    handler.now = undefined
  }
})

test("inspectExecutable() sees a script that was written on Windows, and hintFor() says what to do", () => {
  const found = inspect("windows")!
  expect(found).toEqual({ problem: "carriage-return", path: "/bin/windows", interpreter: "/bin/static" })
  expect(describeProblem("windows", found)).toContain("its first line ends in a carriage return")
  expect(hintFor(found)).toContain("sed -i")
  const linked = (interpreter: string) => hintFor({ problem: "missing-interpreter", path: "/app", interpreter })
  expect(linked("/lib64/ld-linux-x86-64.so.2")).toContain("glibc")
  expect(linked("/lib/ld-linux-aarch64.so.1")).toContain("glibc")
  expect(linked("/lib/ld-musl-x86_64.so.1")).toContain("musl")
  expect(linked("/usr/bin/python")).toBeUndefined()
})
