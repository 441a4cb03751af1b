// Lines of several containers, each behind its container's short name.
import type { Client } from "../../client/client.ts"
import { containerLogs, inspectContainer, type LogsQuery } from "../../client/containers.ts"
import { FrameReader } from "../../client/frames.ts"
import { isTerminal } from "../../lib/syscalls/terminal.ts"
import { writeAll } from "../output.ts"

const COLOURS = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94]

export type Colour = "never" | "auto" | "always"
export type ViewOptions = { readonly prefix: boolean; readonly colour: Colour }

/** What --ansi and --no-color make of it. */
export function colourOf(ansi: string | undefined, noColor: boolean | undefined): Colour {
  if (noColor === true || ansi === "never") return "never"
  return ansi === "always" ? "always" : "auto"
}

export class LogView {
  readonly #options: ViewOptions
  readonly #isColoured: boolean
  readonly #colours = new Map<string, number>()
  #width = 0

  constructor(options: ViewOptions) {
    this.#options = options
    this.#isColoured =
      options.colour === "always" || (options.colour === "auto" && isTerminal(1) && !process.env["NO_COLOR"])
  }

  /** Before the first line, so that prefixes are equally wide. */
  know(name: string): void {
    this.#width = Math.max(this.#width, name.length)
    if (!this.#colours.has(name)) this.#colours.set(name, COLOURS[this.#colours.size % COLOURS.length]!)
  }

  line(name: string, text: string, fd: 1 | 2 = 1): void {
    writeAll(fd, `${this.#prefix(name)}${text}\n`)
  }

  #prefix(name: string): string {
    if (!this.#options.prefix) return ""
    const text = `${name.padEnd(this.#width)} | `
    return this.#isColoured ? `\u001b[${this.#colours.get(name)}m${text}\u001b[0m` : text
  }

  /** Resolves when the log has ended, or the container when it is followed. */
  async show(
    client: Client,
    container: { readonly id: string; readonly shown: string },
    query: LogsQuery,
  ): Promise<void> {
    const answer = await containerLogs(client, container.id, { stdout: true, stderr: true, ...query })
    const isFramed =
      answer.headers.get("content-type") === "application/vnd.docker.multiplexed-stream" ||
      (await inspectContainer(client, container.id)).Config.Tty !== true
    const open: Record<1 | 2, string> = { 1: "", 2: "" }
    const decoders = { 1: new TextDecoder(), 2: new TextDecoder() }
    const take = (stream: 1 | 2, chunk: Uint8Array): void => {
      const lines = (open[stream] + decoders[stream].decode(chunk, { stream: true })).split("\n")
      open[stream] = lines.pop() ?? ""
      for (const line of lines) this.line(container.shown, line.replace(/\r$/, ""), stream)
    }
    const frames = new FrameReader((stream, chunk) => take(stream === 2 ? 2 : 1, chunk))
    for await (const chunk of answer.body) {
      if (isFramed) frames.push(chunk)
      else take(1, chunk)
    }
    for (const stream of [1, 2] as const) if (open[stream] !== "") this.line(container.shown, open[stream], stream)
  }
}
