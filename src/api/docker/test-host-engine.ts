// For tests with real clients: an engine whose containers are plain processes of this machine, run without a terminal.
import type { Attachment, Engine, OutputSink } from "../../engine/contract.ts"
import { DhowError } from "../../lib/errors.ts"
import type { ContainerInspect, ExecInspect } from "../../wire/container.ts"
import { engineWith } from "./test-call.ts"

/** A process that may be attached to before it runs. */
class HostProcess {
  readonly id: string
  readonly argv: readonly string[]
  readonly exited = Promise.withResolvers<number>()
  readonly log: { readonly stream: 1 | 2; readonly bytes: Uint8Array }[] = []
  exitCode: number | undefined
  #sinks: OutputSink[] = []
  #early: Uint8Array[] = []
  #earlyEnd = false
  #child: Bun.Subprocess<"pipe", "pipe", "pipe"> | undefined

  constructor(id: string, argv: readonly string[]) {
    this.id = id
    this.argv = argv
  }

  get running(): boolean {
    return this.#child !== undefined && this.exitCode === undefined
  }

  start(): void {
    const child = Bun.spawn([...this.argv], { stdin: "pipe", stdout: "pipe", stderr: "pipe" })
    this.#child = child
    for (const chunk of this.#early) child.stdin.write(chunk)
    if (this.#earlyEnd) child.stdin.end()
    else child.stdin.flush()
    const streams = [this.#pump(1, child.stdout), this.#pump(2, child.stderr)]
    void Promise.all(streams).then(async () => {
      this.exitCode = await child.exited
      for (const sink of this.#sinks) sink.end()
      this.exited.resolve(this.exitCode)
    })
  }

  kill(): void {
    this.#child?.kill("SIGKILL")
  }

  attachment(options: { stdin: boolean; onConnect?: () => void }): Attachment {
    return {
      tty: false,
      input: {
        write: (chunk) => {
          if (!options.stdin) return true
          if (this.#child === undefined) this.#early.push(chunk.slice())
          else {
            this.#child.stdin.write(chunk)
            this.#child.stdin.flush()
          }
          return true
        },
        drained: async () => {},
        end: () => {
          this.#earlyEnd = true
          if (options.stdin) this.#child?.stdin.end()
        },
      },
      connect: (sink) => {
        this.#sinks.push(sink)
        options.onConnect?.()
      },
      detach: () => {
        this.#sinks = []
      },
    }
  }

  async replay(sink: OutputSink, follow: boolean): Promise<void> {
    for (const { stream, bytes } of this.log) sink.write(stream, bytes)
    if (!follow || this.exitCode !== undefined) return
    this.#sinks.push(sink)
    await this.exited.promise
  }

  async #pump(stream: 1 | 2, output: ReadableStream<Uint8Array>): Promise<void> {
    for await (const bytes of output) {
      this.log.push({ stream, bytes })
      for (const sink of this.#sinks) if (!sink.write(stream, bytes)) await sink.drained()
    }
  }
}

export function hostEngine(): Engine {
  const containers = new Map<string, HostProcess & { name?: string }>()
  const execs = new Map<string, HostProcess>()
  const newId = (): string => Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("hex")
  const find = (reference: string): HostProcess => {
    for (const process of containers.values())
      if (process.name === reference || process.id.startsWith(reference)) return process
    throw new DhowError("not-found", `No such container: ${reference}`)
  }
  const findExec = (id: string): HostProcess => {
    const process = execs.get(id)
    if (process === undefined) throw new DhowError("not-found", `No such exec instance: ${id}`)
    return process
  }
  return engineWith({
    containers: {
      async create({ name, config }) {
        const process = new HostProcess(newId(), config.Cmd ?? [])
        containers.set(process.id, name === undefined ? process : Object.assign(process, { name }))
        return { Id: process.id, Warnings: [] }
      },
      async start(reference) {
        find(reference).start()
        return "started"
      },
      attach: async (reference, { stdin }) => find(reference).attachment({ stdin }),
      async logs(reference, { follow }) {
        const process = find(reference)
        return { tty: false, connect: (sink) => process.replay(sink, follow) }
      },
      async wait(reference) {
        const process = find(reference)
        return { result: process.exited.promise.then((StatusCode) => ({ StatusCode })) }
      },
      async inspect(reference) {
        const { id, running, exitCode = 0 } = find(reference)
        return {
          Id: id,
          State: { Status: running ? "running" : "exited", Running: running, ExitCode: exitCode },
          Config: { Tty: false, OpenStdin: true },
          HostConfig: { LogConfig: { Type: "json-file" } },
        } as ContainerInspect
      },
      async remove(reference) {
        const process = find(reference)
        process.kill()
        containers.delete(process.id)
        return {}
      },
    },
    execs: {
      async create(container, { Cmd }) {
        find(container)
        const process = new HostProcess(newId(), Cmd ?? [])
        execs.set(process.id, process)
        return { Id: process.id }
      },
      async start(id, { detach }) {
        const process = findExec(id)
        if (!detach) return process.attachment({ stdin: true, onConnect: () => process.start() })
        process.start()
        return undefined
      },
      async inspect(id) {
        const { running, exitCode } = findExec(id)
        return { ID: id, Running: running, ExitCode: exitCode ?? null, DetachKeys: "" } as ExecInspect
      },
    },
    system: { version: async () => ({ ApiVersion: "1.51", Version: "0" }) },
  })
}
