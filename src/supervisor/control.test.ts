import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { check, cstring, libc } from "../lib/syscalls/libc.ts"
import { ControlFifo } from "./control.ts"

let bundle: string
let reader: number
beforeEach(() => {
  bundle = mkdtempSync(join(tmpdir(), "dhow-control-"))
  check(libc().mkfifo(cstring(join(bundle, "ctl")), 0o600), "mkfifo")
  reader = openSync(join(bundle, "ctl"), constants.O_RDONLY | constants.O_NONBLOCK)
})
afterEach(() => {
  closeSync(reader)
  rmSync(bundle, { recursive: true })
})

function read(): string {
  const buffer = Buffer.alloc(200)
  try {
    return buffer.toString("latin1", 0, readSync(reader, buffer))
  } catch {
    return ""
  }
}

async function readSoon(): Promise<string> {
  for (;;) {
    const text = read()
    if (text !== "") return text
    await Bun.sleep(1)
  }
}

describe("ControlFifo", () => {
  test("never has two lines under way, and of window sizes in between only the last counts", async () => {
    const control = new ControlFifo(bundle, () => true)
    control.resize(24, 80)
    control.reopenLog()
    for (let width = 81; width <= 90; width++) control.resize(24, width)
    await Bun.sleep(50)
    expect(read()).toBe("1 24 80\n")
    expect(await readSoon()).toBe("1 24 90\n")
    expect(await readSoon()).toBe("2 0 0\n")
  })

  test("does not ask for a new log file once that is no longer needed", async () => {
    let needed = true
    const control = new ControlFifo(bundle, () => needed)
    control.resize(1, 2)
    control.reopenLog()
    needed = false
    expect(read()).toBe("1 1 2\n")
    await Bun.sleep(50)
    expect(read()).toBe("")
  })

  test("does nothing where nobody reads", () => {
    closeSync(reader)
    const control = new ControlFifo(bundle, () => true)
    control.resize(24, 80)
    control.reopenLog()
    new ControlFifo(join(bundle, "nowhere"), () => true).resize(1, 1)
    reader = openSync(join(bundle, "ctl"), constants.O_RDONLY | constants.O_NONBLOCK)
    expect(read()).toBe("")
  })
})
