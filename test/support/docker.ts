// The real docker client against an engine of the test: a command, its status, and its two streams apart; in a real
// terminal where the test needs one. Nothing of the user's docker configuration is read.
import { dirname, join } from "node:path"
import { dockerCliDirectory } from "../../tools/docker-cli.ts"
import type { TestEngine } from "./engine.ts"

export type Outcome = { readonly status: number; readonly stdout: string; readonly stderr: string }
export type CommandOptions = {
  readonly stdin?: string | Uint8Array
  readonly env?: Readonly<Record<string, string>>
  /** Milliseconds until the command is killed. */
  readonly patience?: number
}

/** Less than a test has: one that overruns loses the engine to bun's clean-up, and with it the tests after it. */
const PATIENCE = 10_000

const directory = dockerCliDirectory(join(import.meta.dir, "../.."))
/** Undefined where no client can be had: tests are skipped then. */
export const dockerProgram =
  directory === undefined ? undefined : directory === "" ? "docker" : join(directory, "docker")

export class CommandLine {
  readonly #words: readonly string[]
  readonly #env: Record<string, string | undefined>

  constructor(words: readonly string[], env: Readonly<Record<string, string>>) {
    this.#words = words
    this.#env = { ...process.env, ...env }
  }

  /** Runs a command to its end. Without stdin its standard input is /dev/null. */
  async run(args: readonly string[], options: CommandOptions = {}): Promise<Outcome> {
    const child = Bun.spawn([...this.#words, ...args], {
      timeout: options.patience ?? PATIENCE,
      killSignal: "SIGKILL",
      stdio: [options.stdin === undefined ? "ignore" : new Blob([options.stdin as string]), "pipe", "pipe"],
      env: { ...this.#env, ...options.env },
    })
    const [stdout, stderr, status] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ])
    return { status, stdout, stderr }
  }

  /** Standard output of a command that must end well, without its final newline. */
  async ok(...args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.run(args)
    if (status !== 0) throw new Error(`${args.join(" ")}: status ${status}: ${stderr}`)
    return stdout.replace(/\n$/, "")
  }

  /** A command left running, with all three streams to the caller. */
  spawn(args: readonly string[]): LiveCommand {
    return new LiveCommand([...this.#words, ...args], this.#env)
  }

  terminal(args: readonly string[], size: { readonly columns?: number; readonly rows?: number } = {}): TerminalCommand {
    return new TerminalCommand([...this.#words, ...args], this.#env, size.columns ?? 80, size.rows ?? 24)
  }
}

/** Collects text and lets a test wait for what it expects in it. */
class Expected {
  text = ""
  readonly #waiting = new Set<() => void>()
  #isOver = false

  add(chunk: string): void {
    this.text += chunk
    this.#wake()
  }

  end(): void {
    this.#isOver = true
    this.#wake()
  }

  #wake(): void {
    for (const check of this.#waiting) check()
  }

  /** Resolves when the text from `from` on matches; fails when the stream ends first. */
  contains(wanted: string | RegExp, from = 0): Promise<string> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const text = this.text.slice(from)
        const isThere = typeof wanted === "string" ? text.includes(wanted) : wanted.test(text)
        if (!isThere && !this.#isOver) return
        this.#waiting.delete(check)
        clearTimeout(timer)
        if (isThere) resolve(text)
        else reject(new Error(`The stream ended without ${wanted}: ${JSON.stringify(this.text)}`))
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(check)
        reject(new Error(`Waited in vain for ${wanted}; what came: ${JSON.stringify(this.text)}`))
      }, PATIENCE)
      this.#waiting.add(check)
      check()
    })
  }
}

export class LiveCommand {
  readonly #child: Bun.Subprocess<"pipe", "pipe", "pipe">
  readonly stdout = new Expected()
  readonly stderr = new Expected()
  readonly #exited: Promise<number>

  constructor(command: readonly string[], env: Record<string, string | undefined>) {
    this.#child = Bun.spawn([...command], { stdio: ["pipe", "pipe", "pipe"], env })
    const streams = Promise.all([drain(this.#child.stdout, this.stdout), drain(this.#child.stderr, this.stderr)])
    this.#exited = streams.then(() => this.#child.exited)
  }

  /** Status, once both streams are at their end too. */
  ended(): Promise<number> {
    return soon(this.#exited, this.#child)
  }

  write(text: string | Uint8Array): void {
    this.#child.stdin.write(text)
    this.#child.stdin.flush()
  }

  /** End of its standard input. */
  async end(): Promise<void> {
    await this.#child.stdin.end()
  }

  kill(signal: NodeJS.Signals = "SIGTERM"): void {
    this.#child.kill(signal)
  }
}

/** The status, or an error when the command does not end; it is ended then. */
async function soon(exited: Promise<number>, child: Bun.Subprocess): Promise<number> {
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    child.kill("SIGKILL")
  }, PATIENCE)
  const status = await exited
  clearTimeout(timer)
  if (isLate) throw new Error("Waited in vain for the command to end")
  return status
}

async function drain(stream: ReadableStream<Uint8Array>, into: Expected): Promise<void> {
  const decoder = new TextDecoder()
  for await (const chunk of stream) into.add(decoder.decode(chunk, { stream: true }))
  into.end()
}

export class TerminalCommand {
  readonly #terminal: Bun.Terminal
  readonly #child: Bun.Subprocess
  readonly screen = new Expected()

  constructor(command: readonly string[], env: Record<string, string | undefined>, cols: number, rows: number) {
    const decoder = new TextDecoder()
    this.#terminal = new Bun.Terminal({
      cols,
      rows,
      data: (_terminal, chunk) => this.screen.add(decoder.decode(chunk, { stream: true })),
    })
    this.#child = Bun.spawn([...command], { terminal: this.#terminal, env: { ...env, TERM: "xterm" } })
  }

  ended(): Promise<number> {
    return soon(this.#child.exited, this.#child)
  }

  type(text: string): void {
    this.#terminal.write(text)
  }

  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows)
    // It is not the program's controlling terminal, so the kernel does not tell the program by itself.
    this.#child.kill("SIGWINCH")
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL")
    this.#terminal.close()
  }
}

/** The docker client for an engine. */
export function docker(engine: TestEngine): CommandLine {
  return new CommandLine([dockerProgram ?? "docker"], environment(engine))
}

/** dhow's own command line, from source. */
export function dhow(engine: TestEngine): CommandLine {
  const main = join(import.meta.dir, "../../src/main.ts")
  return new CommandLine([process.execPath, main, "-H", `unix://${engine.socket}`], environment(engine))
}

function environment(engine: TestEngine): Record<string, string> {
  // It need not exist.
  const home = join(dirname(engine.socket), "home")
  return { DOCKER_HOST: `unix://${engine.socket}`, DOCKER_CONFIG: home, HOME: home, DOCKER_CLI_HINTS: "false" }
}
