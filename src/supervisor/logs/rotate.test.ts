import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { appendFileSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { readLog } from "./read.ts"
import { compressRotated, rotate } from "./rotate.ts"
import { wasRotated } from "./segments.ts"

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

describe("rotate()", () => {
  test("numbers files upwards and keeps as many as asked", () => {
    for (let round = 1; round <= 4; round++) {
      writeFileSync(path, line(`round ${round}`))
      expect(rotate(path, 2, reopen)).toBe(true)
    }
    expect(files()).toEqual(["log", "log.3", "log.4"])
  })

  test("leaves a rotation that is under way alone, and loses nothing by it", async () => {
    writeFileSync(path, line("one"))
    expect(rotate(path, 2, () => {})).toBe(true)
    expect(wasRotated(path)).toBe(true)
    appendFileSync(path, line("two"))
    expect(rotate(path, 2, () => {})).toBe(false)
    expect(await read()).toBe("one\ntwo\n")
    reopen()
    expect(wasRotated(path)).toBe(false)
    appendFileSync(path, line("three"))
    expect(await read()).toBe("one\ntwo\nthree\n")
  })

  test("does nothing without a log", () => {
    expect(rotate(path, 2, reopen)).toBe(false)
  })
})

describe("compressRotated()", () => {
  test("leaves the live file and the one just being left alone", async () => {
    writeFileSync(path, line("a".repeat(100_000)))
    rotate(path, 5, reopen)
    writeFileSync(path, line("b"))
    rotate(path, 5, () => {})
    await compressRotated(path)
    expect(files()).toEqual(["log", "log.1.zst", "log.2"])
    expect(statSync(`${path}.1.zst`).size).toBeLessThan(1000)
    expect(await read()).toBe(`${"a".repeat(100_000)}\nb\n`)
  })
})
