// A real engine in a process of its own, over a state root, socket, cgroup parent and bridge of the test's own; and a
// client that speaks the API to it without any library.
import { randomBytes } from "node:crypto"
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { mountsBelow } from "./kernel-objects.ts"

const MAIN = join(import.meta.dir, "../../src/main.ts")
let serial = 0

export type Answer = { readonly status: number; readonly text: string; readonly json: unknown }

export class TestEngine {
  /** Made by the first start: an engine whose tests are all skipped leaves nothing behind. */
  readonly root: string
  readonly dataRoot: string
  readonly execRoot: string
  readonly socket: string
  readonly cgroupParent: string
  readonly bridge: string
  readonly flags: readonly string[]
  /** A command that runs the engine's: to give it another view of the machine. */
  wrapper: readonly string[] = []
  #process: Bun.Subprocess | undefined

  constructor(flags: readonly string[] = [], dataRoot = "data") {
    this.root = join(tmpdir(), `dhow-e-${randomBytes(4).toString("hex")}`)
    this.dataRoot = join(this.root, dataRoot)
    this.execRoot = join(this.root, "run")
    this.socket = join(this.root, "s")
    const name = `${process.pid % 100_000}${serial++}`
    this.cgroupParent = `/dhow-test-${name}`
    this.bridge = `dt${name}`
    this.flags = [
      ...["--data-root", this.dataRoot, "--exec-root", this.execRoot, "--cgroup-parent", this.cgroupParent],
      ...["--bridge", this.bridge, "--network-pool", "2", "-H", `unix://${this.socket}`, ...flags],
    ]
  }

  get pid(): number {
    return this.#process?.pid ?? 0
  }

  /** Starts the daemon and returns once it serves; throws its last words when it ends instead. */
  async start(environment: Readonly<Record<string, string>> = {}): Promise<void> {
    mkdirSync(this.root, { recursive: true, mode: 0o700 })
    const log = openSync(join(this.root, "log"), "a")
    const child = Bun.spawn([...this.wrapper, process.execPath, MAIN, "daemon", ...this.flags], {
      stdio: ["ignore", "ignore", log],
      // What this machine tells Docker is nothing to a test.
      env: { ...process.env, DHOW_DOCKER_CONFIG: "", ...environment },
    })
    closeSync(log)
    this.#process = child
    const ended = child.exited.then((status) => {
      throw new Error(
        `The engine ended with ${status ?? child.signalCode} before it served: ${this.log().slice(-2000)}`,
      )
    })
    ended.catch(() => undefined)
    await Promise.race([ended, this.#serving()])
  }

  /** SIGKILL, as a crash would end it. */
  async kill(): Promise<void> {
    this.#process?.kill("SIGKILL")
    await this.#process?.exited
  }

  /** Resolves when it ended by itself. */
  async ended(): Promise<void> {
    await this.#process?.exited
  }

  get isRunning(): boolean {
    return this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null
  }

  log(): string {
    try {
      return readFileSync(join(this.root, "log"), "utf8")
    } catch {
      return ""
    }
  }

  /** Ends the engine and takes everything of it off the machine. */
  async destroy(): Promise<void> {
    await this.kill()
    const child = Bun.spawn([process.execPath, MAIN, "internal", "reset", ...this.flags], {
      stdio: ["ignore", "ignore", "pipe"],
    })
    const [status, message] = await Promise.all([child.exited, new Response(child.stderr).text()])
    if (status !== 0) throw new Error(`reset failed: ${message}`)
    for (const path of mountsBelow(this.root).reverse()) Bun.spawnSync(["umount", "-l", path])
    // A tree that another process is still clearing makes the walk stop early, without an error.
    while (existsSync(this.root)) rmSync(this.root, { recursive: true, force: true })
  }

  /** One request; throws when the engine goes away before it has answered. */
  async call(method: string, path: string, body?: unknown): Promise<Answer> {
    const isBytes = body instanceof Uint8Array
    const response = await fetch(`http://dhow${path}`, {
      unix: this.socket,
      method,
      ...(body === undefined ? {} : { body: isBytes ? (body as Uint8Array<ArrayBuffer>) : JSON.stringify(body) }),
      headers: { "content-type": isBytes ? "application/x-tar" : "application/json" },
    })
    const text = await response.text()
    return { status: response.status, text, json: parse(text) }
  }

  /** As `call`, and throws unless the status is 2xx. */
  async must<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.call(method, path, body)
    if (answer.status < 200 || answer.status > 299)
      throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
    return answer.json as T
  }

  async #serving(): Promise<void> {
    for (;;) {
      try {
        if ((await this.call("GET", "/_ping")).status === 200) return
      } catch {
        await Bun.sleep(10)
      }
    }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A tar of a small root: busybox with its applets, passwd, and a directory for a volume. */
export function busyboxTar(): Uint8Array {
  const directory = mkdtempSync(join(tmpdir(), "dhow-bb-"))
  try {
    const script = `
      mkdir -p bin etc tmp proc sys dev vol && cp /bin/busybox bin/busybox &&
      for applet in pwd grep touch env mkdir rm mount nslookup stat find ln mv usleep sort nproc sh cat echo sleep true false id seq yes head wc test ls md5sum dd ip wget nc hostname stty kill ps tee; do ln bin/busybox bin/$applet; done &&
      echo root:x:0:0:root:/root:/bin/sh > etc/passwd && echo root:x:0: > etc/group && echo seed > vol/seed && tar -cf - bin etc tmp proc sys dev vol`
    return Bun.spawnSync(["sh", "-c", script], { cwd: directory }).stdout
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
