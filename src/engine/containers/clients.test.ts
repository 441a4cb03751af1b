import { expect, test } from "bun:test"
import type { StreamListener, Streams } from "../../supervisor/contract.ts"
import type { OutputSink } from "../contract.ts"
import { Clients } from "./clients.ts"

function fakeStreams(): Streams & {
  readonly written: string[]
  readonly listeners: Set<StreamListener>
  closed: boolean
} {
  const listeners = new Set<StreamListener>()
  const written: string[] = []
  return {
    written,
    listeners,
    closed: false,
    listen(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    write(chunk) {
      written.push(Buffer.from(chunk).toString())
      return true
    },
    inputDrained: async () => undefined,
    endInput() {
      this.closed = true
    },
  }
}

function recorder(): OutputSink & { readonly seen: string[]; ended: number } {
  return {
    seen: [],
    ended: 0,
    write(stream, chunk) {
      this.seen.push(`${stream}:${Buffer.from(chunk).toString()}`)
      return true
    },
    drained: async () => undefined,
    end() {
      this.ended++
    },
  }
}

test("Clients gives input that came early to the process, in order, and then its end", () => {
  const clients = new Clients()
  const input = clients.input(true)
  input.write(Buffer.from("one"))
  input.write(Buffer.from("two"))
  input.end()
  expect(clients.waiting).toBe(true)
  const streams = fakeStreams()
  clients.join(streams)
  expect(streams.written).toEqual(["one", "two"])
  expect(streams.closed).toBe(true)
})

test("Clients keeps the next run free of the input, and of the leaving, of a client of the last one", () => {
  const clients = new Clients()
  clients.join(fakeStreams())
  const input = clients.input(true)
  clients.end()
  input.write(Buffer.from("late"))
  input.end()
  expect(clients.waiting).toBe(false)
  const next = fakeStreams()
  clients.join(next)
  expect(next.written).toEqual([])
  expect(next.closed).toBe(false)
})

test("Clients does not close the process's input for a client whose end is not its end", () => {
  const clients = new Clients()
  const streams = fakeStreams()
  clients.join(streams)
  clients.input(false).end()
  expect(streams.closed).toBe(false)
})

test("Clients delivers to each client the streams it wants, and tells each the end once", () => {
  const clients = new Clients()
  const everything = recorder()
  const errors = recorder()
  clients.add(everything, () => true)
  const streams = fakeStreams()
  clients.join(streams)
  clients.add(errors, (stream) => stream === 2)
  for (const listener of streams.listeners) {
    listener.data(1, Buffer.from("out"))
    listener.data(2, Buffer.from("err"))
  }
  expect(everything.seen).toEqual(["1:out", "2:err"])
  expect(errors.seen).toEqual(["2:err"])
  clients.end()
  expect([everything.ended, errors.ended]).toEqual([0, 0])
  for (const listener of [...streams.listeners]) listener.end()
  expect([everything.ended, errors.ended]).toEqual([1, 1])
})

test("Clients forgets one that left", () => {
  const clients = new Clients()
  const sink = recorder()
  const leave = clients.add(sink, () => true)
  const streams = fakeStreams()
  clients.join(streams)
  leave()
  expect(streams.listeners.size).toBe(0)
  clients.end()
  expect(sink.ended).toBe(0)
})
