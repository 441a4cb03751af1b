// A client that follows a container's log through restarts of the engine, as a log shipper does: it remembers the time
// of the last line it has, and asks again from there.
import type { TestEngine } from "./engine.ts"

export class Follower {
  readonly lines: string[] = []
  /** How often the stream was begun. */
  connections = 0
  readonly #engine: TestEngine
  readonly #container: string
  readonly #stop = new AbortController()
  readonly #done: Promise<void>
  #last = ""
  readonly #ofLast = new Set<string>()

  constructor(engine: TestEngine, container: string) {
    this.#engine = engine
    this.#container = container
    this.#done = this.#follow()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#done
  }

  async #follow(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.#read()
      } catch {
        // The engine is away, or was just killed.
      }
      await Bun.sleep(20)
    }
  }

  async #read(): Promise<void> {
    const since = this.#last === "" ? "" : `&since=${unixTime(this.#last)}`
    const path = `/containers/${this.#container}/logs?follow=1&stdout=1&timestamps=1${since}`
    const response = await fetch(`http://dhow${path}`, { unix: this.#engine.socket, signal: this.#stop.signal })
    if (response.status !== 200 || response.body === null) return
    this.connections++
    let bytes = Buffer.alloc(0)
    let text = ""
    for await (const chunk of response.body) {
      bytes = Buffer.concat([bytes, chunk])
      while (bytes.length >= 8 && bytes.length >= 8 + bytes.readUInt32BE(4)) {
        const end = 8 + bytes.readUInt32BE(4)
        text += bytes.subarray(8, end).toString()
        bytes = bytes.subarray(end)
      }
      const lines = text.split("\n")
      text = lines.pop() ?? ""
      for (const line of lines) this.#take(line)
    }
  }

  #take(line: string): void {
    const space = line.indexOf(" ")
    const time = line.slice(0, space)
    const text = line.slice(space + 1)
    // `since` is inclusive: what it names comes again. Lines that were written at once have one time.
    if (time < this.#last || (time === this.#last && this.#ofLast.has(text))) return
    if (time !== this.#last) this.#ofLast.clear()
    this.#ofLast.add(text)
    this.#last = time
    this.lines.push(text)
  }
}

/** The lines of a container's standard output, from its log. */
export async function loggedLines(engine: TestEngine, container: string): Promise<string[]> {
  const url = `http://dhow/containers/${container}/logs?stdout=1`
  const bytes = Buffer.from(await (await fetch(url, { unix: engine.socket })).arrayBuffer())
  let text = ""
  for (let at = 0; at < bytes.length; at += 8 + bytes.readUInt32BE(at + 4))
    text += bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at + 4)).toString()
  return text.split("\n").slice(0, -1)
}

/** Seconds and nanoseconds, as docker's client sends them. */
function unixTime(text: string): string {
  const [, whole = "", fraction = "0"] = /^(.*?)(?:\.(\d+))?Z$/.exec(text) ?? []
  return `${Date.parse(`${whole}Z`) / 1000}.${fraction.padEnd(9, "0")}`
}
