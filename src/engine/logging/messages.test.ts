import { expect, test } from "bun:test"
import { type LogMessage, MessageAssembler } from "./messages.ts"

const at = (second: number): string => `2026-01-31T09:05:0${second}.123456789`
const record = (second: number, text: string, tag: "F" | "P" = "F", stream = "stdout"): string =>
  `${at(second)}+00:00 ${stream} ${tag} ${text}\n`

function assemble(text: string, assembler = new MessageAssembler()): [LogMessage[], number] {
  const messages: LogMessage[] = []
  const rest = assembler.take(Buffer.from(text), (message) =>
    messages.push({ ...message, line: Buffer.from(message.line) }),
  )
  return [messages, rest]
}

test("joins the pieces of a line, stream by stream, with the time of its end", () => {
  const [messages] = assemble(record(1, "he", "P") + record(2, "err", "F", "stderr") + record(3, "llo") + record(4, ""))
  expect(messages.map(({ stream, time, line, partial }) => [stream, time, line.toString(), partial])).toEqual([
    [2, `${at(2)}Z`, "err", undefined],
    [1, `${at(3)}Z`, "hello", undefined],
    [1, `${at(4)}Z`, "", undefined],
  ])
})

test("cuts a long line at 16 KiB, all pieces with the first one's time, as Docker does", () => {
  const piece = "x".repeat(8192)
  const [messages] = assemble(record(1, piece, "P") + record(2, piece, "P") + record(3, piece, "P") + record(4, "end"))
  expect(messages.map(({ line, time }) => [line.length, time])).toEqual([
    [16384, `${at(2)}Z`],
    [8195, `${at(2)}Z`],
  ])
  expect(messages.map(({ partial }) => [partial?.ordinal, partial?.last])).toEqual([
    [1, false],
    [2, true],
  ])
  expect(messages[0]!.partial!.id).toBe(messages[1]!.partial!.id)
})

test("a line of exactly 16 KiB ends with an empty piece", () => {
  const piece = "x".repeat(8192)
  const [messages] = assemble(record(1, piece, "P") + record(1, piece, "P") + record(2, ""))
  expect(messages.map(({ line, partial }) => [line.length, partial?.last])).toEqual([
    [16384, false],
    [0, true],
  ])
})

test("says what a process left unfinished, and forgets it for the next one", () => {
  const assembler = new MessageAssembler()
  assemble(record(1, "prompt", "P"), assembler)
  const last: LogMessage[] = []
  assembler.end((message) => last.push(message))
  expect(last.map(({ line, partial }) => [line.toString(), partial?.last])).toEqual([["prompt", false]])
  expect(assemble(record(2, "next"), assembler)[0][0]?.line.toString()).toBe("next")
})

test("goes on from what was saved, and leaves an unfinished record", () => {
  const assembler = new MessageAssembler()
  const [messages, rest] = assemble(`${record(1, "be", "P")}${record(2, "gin").slice(0, 20)}`, assembler)
  expect([messages, rest]).toEqual([[], 20])
  const next = new MessageAssembler()
  next.restore(JSON.parse(JSON.stringify(assembler.save())))
  expect(assemble(record(2, "gin"), next)[0][0]?.line.toString()).toBe("begin")
})
