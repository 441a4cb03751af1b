// Attach with logs=1 and stream=1: the past and the present of a container in one stream, nothing lost and nothing twice.
import { afterEach, describe, expect, test } from "bun:test"
import { existsSync } from "node:fs"
import { testEngine } from "../support/fixture.ts"

const usable = process.getuid?.() === 0 && existsSync("/bin/busybox")

describe.skipIf(!usable)("attach with logs and stream", () => {
  const engine = testEngine()

  async function container(script: string, config: Record<string, unknown> = {}): Promise<string> {
    const { Id } = await engine.must<{ Id: string }>("POST", "/containers/create", {
      Image: "bb",
      Cmd: ["sh", "-c", script],
      HostConfig: { NetworkMode: "none" },
      ...config,
    })
    return Id
  }

  /** The bytes of an attachment to its end; `connected` is called once its head is there. */
  async function attach(
    id: string,
    query: string,
    connected: (socket: Bun.Socket) => void = () => {},
  ): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const chunks: Buffer[] = []
    let isHeadSeen = false
    const socket = await Bun.connect({
      unix: engine.socket,
      socket: {
        data(socket, chunk) {
          chunks.push(Buffer.from(chunk))
          if (isHeadSeen) return
          const all = Buffer.concat(chunks)
          const end = all.indexOf("\r\n\r\n")
          if (end < 0) return
          isHeadSeen = true
          chunks.splice(0, chunks.length, all.subarray(end + 4))
          connected(socket)
        },
        close: () => resolve(),
      },
    })
    const headers = "Host: dhow\r\nUpgrade: tcp\r\nConnection: Upgrade\r\nContent-Length: 0\r\n\r\n"
    socket.write(`POST /containers/${id}/attach?${query} HTTP/1.1\r\n${headers}`)
    await promise
    return Buffer.concat(chunks).toString("latin1")
  }

  /** Without the frames of the multiplexed form. */
  function unframed(text: string): string {
    const bytes = Buffer.from(text, "latin1")
    const parts: Buffer[] = []
    for (let at = 0; at < bytes.length; at += 8 + bytes.readUInt32BE(at + 4))
      parts.push(bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at + 4)))
    return Buffer.concat(parts).toString()
  }

  afterEach(async () => {
    for (const { Id } of await engine.must<{ Id: string }[]>("GET", "/containers/json?all=1"))
      await engine.must("DELETE", `/containers/${Id}?force=1`)
  })

  test("loses and doubles nothing of a container that writes fast", async () => {
    // It ends only when all clients are there: who attaches after an end waits for the next start.
    const id = await container("sleep 0.3; seq 1 200000; while [ ! -e /go ]; do sleep 0.05; done; seq 200001 300000")
    await engine.must("POST", `/containers/${id}/start`)
    const expected = `${Array.from({ length: 300_000 }, (_, index) => index + 1).join("\n")}\n`
    // Clients come before it writes, and in the midst of it.
    const clients: Promise<string>[] = []
    const here: Promise<void>[] = []
    for (let client = 0; client < 6; client++) {
      const { promise, resolve } = Promise.withResolvers<void>()
      clients.push(attach(id, "logs=1&stream=1&stdout=1&stderr=1", () => resolve()).then(unframed))
      here.push(promise)
      await Bun.sleep(80)
    }
    await Promise.all(here)
    const { Id: exec } = await engine.must<{ Id: string }>("POST", `/containers/${id}/exec`, { Cmd: ["touch", "/go"] })
    await engine.must("POST", `/exec/${exec}/start`, { Detach: true })
    for (const text of await Promise.all(clients)) {
      expect(text.length).toBe(expected.length)
      expect(text === expected).toBe(true)
    }
  })

  test("passes input on while output comes from the log, also from before the start", async () => {
    const id = await container("echo ready; read line; echo got $line; read line; echo and $line", { OpenStdin: true })
    const attached = attach(id, "logs=1&stream=1&stdin=1&stdout=1", (socket) => {
      socket.write("one\n")
      setTimeout(() => socket.write("two\n"), 300)
    })
    await Bun.sleep(100)
    await engine.must("POST", `/containers/${id}/start`)
    expect(unframed(await attached)).toBe("ready\ngot one\nand two\n")
    expect(unframed(await attach(id, "logs=1&stdout=1"))).toBe("ready\ngot one\nand two\n")
  })

  test("a terminal's output comes as it is, and a container without a log streams what comes", async () => {
    const id = await container("printf 'a b'; sleep 0.3; echo; echo c", { Tty: true })
    await engine.must("POST", `/containers/${id}/start`)
    expect(await attach(id, "logs=1&stream=1&stdout=1")).toBe("a b\r\nc\r\n")
    const silent = await container("echo early; sleep 0.5; echo late", {
      HostConfig: { NetworkMode: "none", LogConfig: { Type: "none" } },
    })
    await engine.must("POST", `/containers/${silent}/start`)
    await Bun.sleep(100)
    expect(unframed(await attach(silent, "logs=1&stream=1&stdout=1"))).toBe("late\n")
  })

  test("ends when the client leaves", async () => {
    const id = await container("echo up; sleep 600", { OpenStdin: true })
    await engine.must("POST", `/containers/${id}/start`)
    const text = await attach(id, "logs=1&stream=1&stdin=1&stdout=1", (socket) => {
      setTimeout(() => socket.shutdown(), 200)
    })
    expect(unframed(text)).toBe("up\n")
  })
})
