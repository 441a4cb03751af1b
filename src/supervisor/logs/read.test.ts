import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { appendFileSync, linkSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { zstdCompressSync } from "node:zlib"
import type { LogSink, ReadLogOptions } from "../contract.ts"
import { readLog } from "./read.ts"

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "dhow-log-"))
  path = join(directory, "log")
})
afterEach(() => rmSync(directory, { recursive: true }))

function record(second: number, text: string, stream: "stdout" | "stderr" = "stdout", tag: "F" | "P" = "F"): string {
  return `2026-01-31T09:05:${String(second).padStart(2, "0")}.123456789+00:00 ${stream} ${tag} ${text}\n`
}

function collecting() {
  const chunks: [1 | 2, Buffer][] = []
  let ends = 0
  let waiting: { count: number; resolve: () => void } | undefined
  const text = (stream?: 1 | 2): string =>
    Buffer.concat(
      chunks.filter(([from]) => stream === undefined || from === stream).map(([, chunk]) => chunk),
    ).toString()
  const sink: LogSink = {
    write(stream, chunk) {
      chunks.push([stream, Buffer.from(chunk)])
      if (waiting !== undefined && text().length >= waiting.count) waiting.resolve()
      return true
    },
    drained: () => Promise.resolve(),
    end: () => ends++,
  }
  const length = (count: number): Promise<void> => {
    if (text().length >= count) return Promise.resolve()
    return new Promise((resolve) => {
      waiting = { count, resolve }
    })
  }
  return { sink, text, chunks, length, ends: () => ends }
}

const EVERYTHING = { stdout: true, stderr: true, timestamps: false }

async function read(options: Partial<ReadLogOptions> = {}) {
  const output = collecting()
  await readLog({ path, ...EVERYTHING, signal: new AbortController().signal, ...options }, output.sink)
  expect(output.ends()).toBe(1)
  return output
}

describe("readLog()", () => {
  test("keeps the streams apart and joins pieces of a line", async () => {
    writeFileSync(path, record(1, "he", "stdout", "P") + record(1, "err", "stderr") + record(2, "llo") + record(3, ""))
    const output = await read()
    expect(output.text(1)).toBe("hello\n\n")
    expect(output.text(2)).toBe("err\n")
    expect((await read({ stderr: false })).text()).toBe("hello\n\n")
    expect((await read({ stdout: false })).text()).toBe("err\n")
  })

  test("keeps every byte value", async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, value) => value).filter((value) => value !== 10))
    writeFileSync(path, Buffer.concat([Buffer.from(record(1, "").slice(0, -1)), bytes, Buffer.from("\n")]))
    const output = await read()
    expect(Buffer.concat(output.chunks.map(([, chunk]) => chunk))).toEqual(Buffer.concat([bytes, Buffer.from("\n")]))
  })

  test("begins each line, not each piece, with its time", async () => {
    writeFileSync(path, record(1, "a", "stdout", "P") + record(2, "b") + record(3, "c"))
    const time = (second: number): string => `2026-01-31T09:05:0${second}.123456789Z `
    expect((await read({ timestamps: true })).text()).toBe(`${time(1)}ab\n${time(3)}c\n`)
  })

  test("gives the last lines, of several files if need be", async () => {
    writeFileSync(`${path}.1.zst`, zstdCompressSync(record(1, "one") + record(2, "two")))
    writeFileSync(`${path}.2`, record(3, "three") + record(4, "four"))
    writeFileSync(path, record(5, "fi", "stdout", "P") + record(5, "ve") + record(6, "prompt", "stdout", "P"))
    const last = async (tail: number): Promise<string> => (await read({ tail })).text()
    expect(await last(0)).toBe("")
    expect(await last(1)).toBe("prompt")
    expect(await last(2)).toBe("five\nprompt")
    expect(await last(3)).toBe("four\nfive\nprompt")
    expect(await last(5)).toBe("two\nthree\nfour\nfive\nprompt")
    expect(await last(100)).toBe("one\ntwo\nthree\nfour\nfive\nprompt")
  })

  test("finds the last lines across block borders", async () => {
    const lines = Array.from({ length: 20_000 }, (_, index) => `line ${index} ${"x".repeat(index % 97)}`)
    writeFileSync(path, lines.map((line) => record(1, line)).join(""))
    for (const tail of [1, 900, 1000, 12_345, 19_999, 20_000, 20_001])
      expect((await read({ tail })).text()).toBe(`${lines.slice(-tail).join("\n")}\n`)
  })

  test("keeps to since and until, both included", async () => {
    writeFileSync(`${path}.1`, record(1, "1") + record(2, "2"))
    writeFileSync(path, record(3, "3") + record(4, "4"))
    const at = (second: number): number => Date.UTC(2026, 0, 31, 9, 5, second, 123) + 0.456789
    expect((await read({ since: at(2) })).text()).toBe("2\n3\n4\n")
    expect((await read({ since: at(2) + 0.002 })).text()).toBe("3\n4\n")
    expect((await read({ since: at(2), until: at(3) })).text()).toBe("2\n3\n")
  })

  test("reads nothing where there is no log", async () => {
    expect((await read()).text()).toBe("")
  })

  test("does not let a torn record spoil the next file", async () => {
    writeFileSync(`${path}.1`, record(1, "whole") + record(2, "torn").slice(0, -3))
    writeFileSync(path, record(3, "next"))
    expect((await read()).text()).toBe("whole\nto\nnext\n")
  })

  test("follows a write that comes right after another", async () => {
    writeFileSync(path, "")
    const stop = new AbortController()
    const output = collecting()
    const write = (stream: 1 | 2, chunk: Uint8Array): boolean => {
      // Twenty in a row, each when the one before was read and the next is waited for.
      if (output.chunks.length < 19) setImmediate(() => appendFileSync(path, record(1, "x")))
      return output.sink.write(stream, chunk)
    }
    const follow = new Promise(() => {})
    const reading = readLog({ path, ...EVERYTHING, follow, signal: stop.signal }, { ...output.sink, write })
    appendFileSync(path, record(1, "x"))
    await output.length(40)
    stop.abort()
    await reading
    expect(output.text()).toBe("x\n".repeat(20))
  })

  test("follows growth and rotation without a gap and ends with the process", async () => {
    const exited = Promise.withResolvers<void>()
    const output = collecting()
    writeFileSync(path, record(0, "first"))
    const reading = readLog(
      { path, ...EVERYTHING, follow: exited.promise, signal: new AbortController().signal },
      output.sink,
    )
    const expected = ["first"]
    for (let round = 1; round <= 5; round++) {
      for (let line = 0; line < 50; line++) {
        appendFileSync(path, record(1, `${round}.${line}`))
        expected.push(`${round}.${line}`)
      }
      if (round % 2 === 0) await output.length(expected.join("\n").length)
      linkSync(path, `${path}.${round}`)
      // The writer goes on with the old file until it has made its new one.
      appendFileSync(path, record(1, `${round}.late`))
      expected.push(`${round}.late`)
      writeFileSync(`${path}.tmp`, "")
      renameSync(`${path}.tmp`, path)
    }
    appendFileSync(path, record(1, "last"))
    exited.resolve()
    await reading
    expect(output.text()).toBe(`${expected.join("\n")}\nlast\n`)
    expect(output.ends()).toBe(1)
  })

  test("waits for a sink that is full, and ends when its client goes away", async () => {
    writeFileSync(path, record(1, "x".repeat(1000)).repeat(2000))
    const gone = new AbortController()
    const first = Promise.withResolvers<void>()
    let taken = 0
    const reading = readLog(
      { path, ...EVERYTHING, signal: gone.signal },
      {
        write(_stream, chunk) {
          taken += chunk.length
          first.resolve()
          return false
        },
        drained: () => new Promise(() => {}),
        end() {},
      },
    )
    await first.promise
    gone.abort()
    await reading
    expect(taken).toBeLessThan(300_000)
  })
})
