// What crun's shortcuts do with a state directory that crun itself did not finish, and with stored filters.
import { afterAll, beforeAll, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { CompiledSeccomp } from "./compiled-seccomp.ts"
import { hostFacts } from "./fixtures.ts"
import { stateDirectory } from "./generic.ts"
import { isAlive, processState } from "./process-state.ts"
import { openRuntimes } from "./runtimes.ts"
import { defaultSeccomp } from "./seccomp.ts"

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "dhow-crun-"))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const seccomp = defaultSeccomp(["CAP_KILL"], hostFacts())

test("CompiledSeccomp keeps what crun made, across restarts, and only whole", async () => {
  const kept = join(directory, "kept")
  const state = join(directory, "state")
  mkdirSync(state)
  const first = new CompiledSeccomp(kept, process.execPath)
  expect(first.lookUp("a", seccomp)).toBeUndefined()
  const program = Buffer.alloc(64, 7)
  writeFileSync(join(state, "seccomp.bpf"), program)
  await first.harvest("other", state)
  expect(first.lookUp("a", seccomp)).toBeUndefined()
  await first.harvest("a", state)
  expect(first.lookUp("b", seccomp)).toBe(program.toString("base64"))
  expect(new CompiledSeccomp(kept, process.execPath).lookUp("c", { ...seccomp })).toBe(program.toString("base64"))

  const [name = ""] = readdirSync(kept)
  const bytes = readFileSync(join(kept, name))
  writeFileSync(join(kept, name), bytes.subarray(0, bytes.length - 8))
  expect(new CompiledSeccomp(kept, process.execPath).lookUp("d", { ...seccomp })).toBeUndefined()
})

test("isAlive() tells a process from a later one with its id", () => {
  const { startTime } = processState(process.pid)!
  expect(isAlive(process.pid, startTime)).toBe(true)
  expect(isAlive(process.pid, startTime + 1)).toBe(false)
  expect(isAlive(2 ** 22 + 1, 1)).toBe(false)
})

test("stateDirectory() takes no id that leads elsewhere", () => {
  expect(stateDirectory("/r", "a1_b.c-d")).toBe("/r/a1_b.c-d")
  for (const id of ["", ".", "..", "../x", "a/b", ".cache"]) expect(() => stateDirectory("/r", id)).toThrow()
})

test("openRuntimes() knows its names, and Docker's error for others", () => {
  const runtimes = openRuntimes({
    execRoot: directory,
    defaultRuntime: "mine",
    runtimes: { mine: { path: process.execPath, runtimeArgs: ["--flag"] }, gone: { path: "/no/such/runtime" } },
    facts: hostFacts(),
  })
  expect(runtimes.get().args).toEqual(["--flag", "--root", join(directory, "runtime-mine")])
  expect(runtimes.get("io.containerd.runc.v2")).toBe(runtimes.get("mine"))
  expect(() => runtimes.get("nope")).toThrow("unknown or invalid runtime name: nope")
  expect(() => runtimes.get("gone")).toThrow('Runtime "gone" cannot be used: "/no/such/runtime" was not found')
  expect(() => openRuntimes({ execRoot: directory, defaultRuntime: "nope", runtimes: {}, facts: hostFacts() })).toThrow(
    "specified default runtime 'nope' does not exist",
  )
})
