// A client of the soak: requests and streams over the engine's socket, some of which it leaves in the middle.
import type { TestEngine } from "../../test/support/engine.ts"

export type Status = { readonly status: number; readonly text: string }

/** Reads an answer's body until `enough` bytes came, then goes away; resolves with how much there was. */
export async function readSome(engine: TestEngine, path: string, enough: number, patience = 3000): Promise<number> {
  const leave = new AbortController()
  const timer = setTimeout(() => leave.abort(), patience)
  let bytes = 0
  try {
    const response = await fetch(`http://dhow${path}`, { unix: engine.socket, signal: leave.signal })
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length
      if (bytes >= enough) break
    }
  } catch (error) {
    if (!leave.signal.aborted) throw new Error(`GET ${path} after ${bytes} bytes: ${error}`)
  } finally {
    clearTimeout(timer)
    leave.abort()
  }
  return bytes
}

export type UpgradeOptions = {
  readonly body?: string
  readonly input?: string
  readonly leaveAfter?: number
  readonly webSocket?: boolean
}

/** A connection taken over, as attach and exec take it: sends `input`, half-closes, reads to the end or leaves early. */
export async function upgrade(
  engine: TestEngine,
  path: string,
  { body = "", input = "", leaveAfter = 5000, webSocket = false }: UpgradeOptions,
): Promise<string> {
  const over = Promise.withResolvers<void>()
  let text = ""
  let isOpen = false
  const socket = await Bun.connect({
    unix: engine.socket,
    socket: {
      data(connection, chunk) {
        text += chunk.toString("latin1")
        if (isOpen || !text.includes("\r\n\r\n")) return
        isOpen = true
        if (input !== "") connection.write(input)
        connection.shutdown()
      },
      end: () => over.resolve(),
      close: () => over.resolve(),
      error: () => over.resolve(),
    },
    allowHalfOpen: true,
  })
  socket.write(
    webSocket
      ? `GET ${path} HTTP/1.1\r\nHost: dhow\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${btoa("0123456789abcdef")}\r\n\r\n`
      : `POST ${path} HTTP/1.1\r\nHost: dhow\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n` +
          `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
  const timer = setTimeout(() => over.resolve(), leaveAfter)
  await over.promise
  clearTimeout(timer)
  socket.terminate()
  return text
}
