import { afterEach, expect, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { chosenDetachKeys } from "./chosen-keys.ts"

const before = process.env["DOCKER_CONFIG"]
afterEach(() => {
  if (before === undefined) delete process.env["DOCKER_CONFIG"]
  else process.env["DOCKER_CONFIG"] = before
})

test("chosenDetachKeys() takes the flag, else the configuration's keys where there is a terminal", async () => {
  const directory = mkdtempSync(join(tmpdir(), "dhow-keys-"))
  process.env["DOCKER_CONFIG"] = directory
  try {
    expect(await chosenDetachKeys(undefined, true)).toBeUndefined()
    writeFileSync(join(directory, "config.json"), '{"detachKeys": "ctrl-x,x"}')
    expect(await chosenDetachKeys(undefined, true)).toBe("ctrl-x,x")
    expect(await chosenDetachKeys("ctrl-a", true)).toBe("ctrl-a")
    expect(await chosenDetachKeys(undefined, false)).toBeUndefined()
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})
