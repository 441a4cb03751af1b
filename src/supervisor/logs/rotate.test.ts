import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { appendFileSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { readLog } from "./read.ts"
import { compressRotated, numberLive, pruneRotated } from "./rotate.ts"

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "dhow-rotate-"))
  path = join(directory, "log")
})
afterEach(() => rmSync(directory, { recursive: true }))

const files = (): string[] => readdirSync(directory).sort()
const line = (text: string): string => `2026-01-31T09:05:00.000000000+00:00 stdout F ${text}\n`

/** What conmon does when told to reopen. */
function reopen(): void {
  writeFileSync(`${path}.tmp`, "")
  renameSync(`${path}.tmp`, path)
}

async function read(): Promise<string> {
  let text = ""
  await readLog(
    { path, stdout: true, stderr: true, timestamps: false, signal: new AbortController().signal },
    {
      write(_stream, chunk) {
        text += Buffer.from(chunk).toString()
        return true
      },
      drained: () => Promise.resolve(),
      end() {},
    },
  )
  return text
}

describe("numberLive()", () => {
  test("numbers files upwards, and each once", () => {
    for (let round = 1; round <= 3; round++) {
      writeFileSync(path, line(`round ${round}`))
      expect(numberLive(path)).toBe(true)
      expect(numberLive(path)).toBe(false)
      reopen()
    }
    expect(files()).toEqual(["log", "log.1", "log.2", "log.3"])
  })

  test("loses nothing of a file that is left before or after", async () => {
    writeFileSync(path, line("one"))
    expect(await read()).toBe("one\n")
    numberLive(path)
    appendFileSync(path, line("two"))
    expect(await read()).toBe("one\ntwo\n")
    reopen()
    appendFileSync(path, line("three"))
    expect(await read()).toBe("one\ntwo\nthree\n")
    numberLive(path)
    expect(await read()).toBe("one\ntwo\nthree\n")
  })

  test("does nothing without a log", () => {
    expect(numberLive(path)).toBe(false)
  })
})

describe("pruneRotated()", () => {
  test("keeps as many as asked, the live one among them, and what is still to be read", () => {
    for (let round = 1; round <= 5; round++) {
      writeFileSync(path, line(`round ${round}`))
      numberLive(path)
      if (round < 5) reopen()
    }
    pruneRotated(path, 3, 2)
    expect(files()).toEqual(["log", "log.2", "log.3", "log.4", "log.5"])
    pruneRotated(path, 3)
    expect(files()).toEqual(["log", "log.3", "log.4", "log.5"])
  })
})

describe("compressRotated()", () => {
  test("leaves the live file alone", async () => {
    writeFileSync(path, line("a".repeat(100_000)))
    numberLive(path)
    reopen()
    writeFileSync(path, line("b"))
    numberLive(path)
    await compressRotated(path)
    expect(files()).toEqual(["log", "log.1.zst", "log.2"])
    expect(statSync(`${path}.1.zst`).size).toBeLessThan(1000)
    expect(await read()).toBe(`${"a".repeat(100_000)}\nb\n`)
  })
})
