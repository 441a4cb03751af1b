import { expect, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { leaks, readHostState } from "./host-state.ts"

test("leaks() names what is new, by kind", () => {
  const before = { mounts: ["a"], interfaces: ["lo"] }
  const after = { mounts: ["a", "b"], interfaces: [] }
  expect(leaks(before, after)).toEqual(["mounts: b"])
})

test("readHostState() sees files, mounts and processes of the given directory only", async () => {
  const directory = mkdtempSync(join(tmpdir(), "dhow-host-state-"))
  const script = join(directory, "sleep.sh")
  writeFileSync(script, "read line\n")
  const child = Bun.spawn(["sh", script], { stdin: "pipe" })
  try {
    const state = readHostState(directory)
    expect(state["files"]).toEqual([script])
    expect(state["processes"]).toEqual([`${child.pid} sh ${script}`])
    expect(state["mounts"]).toEqual([])
    expect(state["interfaces"]).toContain("lo")
  } finally {
    child.kill()
    await child.exited
    rmSync(directory, { recursive: true })
  }
})
