import { describe, expect, test } from "bun:test"
import { parseSyncMessage, SyncPipe } from "./sync-pipe.ts"

describe("parseSyncMessage()", () => {
  test("reads the runtime's words with their line breaks and quotes", () => {
    const line = '{"data": -1, "message": "exec \\"x\\": no such file\\n"}'
    expect(parseSyncMessage(line)).toEqual({ data: -1, message: 'exec "x": no such file\n' })
  })

  test("lives with a control character that conmon did not escape", () => {
    expect(parseSyncMessage('{"data": -1, "message": "a\u001fb"}')).toEqual({ data: -1, message: "ab" })
  })

  test("keeps a line it does not understand as the message", () => {
    expect(parseSyncMessage("nonsense")).toEqual({ data: Number.NaN, message: "nonsense" })
  })
})

describe("SyncPipe", () => {
  test("gives one message per line, however the bytes arrive, then undefined", async () => {
    const script = `read go; printf '{"data": 0}\\n{"da' >&3; read go <&3; printf 'ta": 12}\\n' >&3`
    const child = Bun.spawn(["sh", "-c", `exec <&3; ${script}`], { stdio: ["ignore", "ignore", "inherit", "pipe"] })
    const pipe = await SyncPipe.open(child.stdio[3] as unknown as number)
    pipe.go()
    expect(await pipe.next()).toEqual({ data: 0, message: undefined })
    pipe.go()
    expect(await pipe.next()).toEqual({ data: 12, message: undefined })
    expect(await pipe.next()).toBeUndefined()
    pipe.close()
    await child.exited
  })
})
