import { expect, test } from "bun:test"
import { type ByteSocket, Output } from "./output.ts"

/** Takes so many bytes at a time. */
class NarrowSocket implements ByteSocket {
  room = 0
  text = ""
  write(data: Uint8Array): number {
    const taken = data.subarray(0, this.room)
    this.room -= taken.length
    this.text += Buffer.from(taken).toString()
    return taken.length
  }
  shutdown(): void {
    this.text += "."
  }
}

test("what the kernel did not take stays as it was, whatever is written meanwhile, here and elsewhere", () => {
  const [slow, fast] = [new NarrowSocket(), new NarrowSocket()]
  const [first, second] = [new Output(slow), new Output(fast)]
  slow.room = 3
  fast.room = 1000
  expect(first.writeGathered([Buffer.from("1:"), Buffer.from("abc")])).toBe(false)
  expect(second.writeGathered([Buffer.from("2:"), Buffer.from("xyz")])).toBe(true)
  const own = Buffer.from("def")
  expect(first.write(own)).toBe(false)
  own.fill(0)
  slow.room = 1000
  first.end()
  first.drain()
  expect(slow.text).toBe("1:abcdef.")
  expect(fast.text).toBe("2:xyz")
})
