// Execs: further processes in a running container. Each has a conmon of its own and outlives the engine; what is known
// about it lives in memory, as in Docker, and goes with its container.
import { randomBytes } from "node:crypto"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { crashpoint } from "../../lib/crashpoint.ts"
import { parseDetachKeys } from "../../lib/detach-keys.ts"
import { DhowError, describeError } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"
import { resolveUser } from "../../runtime/user.ts"
import type { Monitor, Streams } from "../../supervisor/contract.ts"
import type { ExecConfig, ExecInspect } from "../../wire/container.ts"
import { IGNORED_INPUT } from "../containers/attach.ts"
import { attributesOf } from "../containers/attributes.ts"
import { Clients } from "../containers/clients.ts"
import { hostUser } from "../containers/host-user.ts"
import type { ContainerParts } from "../containers/parts.ts"
import { containerPaths } from "../containers/paths.ts"
import { type ContainerState, isRunning } from "../containers/record.ts"
import { runtimeOf } from "../containers/runtime.ts"
import { notRunning } from "../containers/stop.ts"
import type { Attachment, Caller, Execs, InputTarget, OutputSink } from "../contract.ts"
import { execFailure, refusedStart, refuseProgram } from "./failure.ts"
import { processText } from "./process.ts"

type Exec = {
  readonly id: string
  readonly container: string
  readonly config: ExecConfig
  /** Beside the container's own. */
  readonly groups: readonly string[]
  /** When the container was started: with that run what was not begun in it is gone. */
  readonly run: string
  clients: Clients
  status: "created" | "starting" | "running" | "exited"
  /** While it runs. */
  monitor: Monitor | undefined
  /** Of its process; stays known after the end. */
  pid: number
  exitCode: number | null
  consoleSize: readonly [number, number] | undefined
  endedAt: number
}

/** An exec that the engine made for itself. */
export type OwnExec = { readonly exited: Promise<number>; readonly kill: () => void }

const FEW = 100
/** Clients ask for the exit status of an exec after it ended; five minutes are enough, as in Docker. */
const REMEMBERED_MS = 5 * 60_000
/** Of an exec that has ended. */
const NOBODY = new Clients()

export class ContainerExecs implements Execs {
  readonly #parts: ContainerParts
  readonly #byId = new Map<string, Exec>()
  #lookAt = FEW
  #forgetting: NodeJS.Timeout | undefined

  constructor(parts: ContainerParts) {
    this.#parts = parts
  }

  async create(
    reference: string,
    asked: ExecConfig,
    options: { readonly caller?: () => Caller | undefined } = {},
  ): Promise<{ Id: string }> {
    const host = hostUser(asked.User, options.caller)
    const config = host === undefined ? asked : { ...asked, User: host.User }
    const { record, state } = this.#parts.store.resolve(reference)
    refuseUnlessActive(record.id, state, reference)
    if (!config.Cmd?.length) throw new DhowError("invalid", "No exec command specified")
    // An unknown user is told of here, while the client can still be answered with a status.
    if (config.User) resolveUser(containerPaths(this.#parts.config, record.id).rootfs, config.User)
    parseDetachKeys(config.DetachKeys, "escape")
    this.#forgetStranded()
    const id = randomBytes(32).toString("hex")
    this.#byId.set(id, {
      id,
      container: record.id,
      config,
      groups: host?.GroupAdd ?? [],
      run: runOf(state),
      clients: new Clients(),
      status: "created",
      monitor: undefined,
      pid: 0,
      exitCode: null,
      consoleSize: config.ConsoleSize ?? undefined,
      endedAt: 0,
    })
    this.#parts.live.of(record.id).execIds.add(id)
    this.#parts.events.emit(
      "container",
      `exec_create: ${commandText(config)}`,
      record.id,
      attributesOf(record, { execID: id }),
    )
    return { Id: id }
  }

  async start(
    id: string,
    options: { readonly detach: boolean; readonly tty: boolean; readonly consoleSize?: readonly [number, number] },
  ): Promise<Attachment | undefined> {
    const exec = this.#get(id)
    const container = this.#parts.store.find(exec.container)
    // Docker, too, names the exec here.
    if (container === undefined) throw new DhowError("not-found", `No such container: ${id}`)
    if (runOf(container.state) !== exec.run) {
      this.#parts.live.find(exec.container)?.execIds.delete(exec.id)
      this.#byId.delete(exec.id)
      throw noSuchExec(id)
    }
    refuseUnlessActive(exec.container, container.state, exec.container)
    if (exec.status !== "created") {
      const happened = exec.status === "exited" ? "has already run" : "is already running"
      const refusal = new DhowError("conflict", `exec command ${id} ${happened}`)
      if (options.detach) throw refusal
      return refusedStart(refusal, options.tty)
    }
    exec.status = "starting"
    if (options.consoleSize !== undefined) exec.consoleSize = options.consoleSize
    if (options.detach) {
      await this.#run(exec)
      return undefined
    }
    const { AttachStdin = false, AttachStdout = false, AttachStderr = false, Tty = false } = exec.config
    const input = exec.clients.input(!Tty)
    let leave: (() => void) | undefined
    let output: OutputSink | undefined
    // On a terminal the end of the client's input is the end of the attachment: the process keeps its terminal.
    const leavingInput: InputTarget = {
      ...input,
      end: () => {
        leave?.()
        output?.end()
      },
    }
    return {
      // As Docker does: whether the stream has frames is the start's to say, whether there is a terminal the exec's.
      tty: options.tty,
      ...(exec.config.DetachKeys ? { detachKeys: exec.config.DetachKeys } : {}),
      input: !AttachStdin ? IGNORED_INPUT : Tty ? leavingInput : input,
      connect: (sink: OutputSink) => {
        output = sink
        leave = exec.clients.add(sink, (stream) => (stream === 1 ? AttachStdout : AttachStderr))
        this.#run(exec).catch((error) => {
          // The head is sent already: the reason goes into the stream, where Docker puts it.
          sink.write(1, Buffer.from(`${describeError(error)}\r\n`))
          exec.clients.end()
        })
      },
      detach: (why) => {
        leave?.()
        if (AttachStdin) input.end()
        if (why === "keys") this.#emit(exec, "exec_detach")
      },
    }
  }

  /** Runs a command for the engine itself; resolves once the process runs. The exec is forgotten when it has ended. */
  async run(container: string, config: ExecConfig, sink: OutputSink): Promise<OwnExec> {
    const { Id: id } = await this.create(container, config)
    const exec = this.#get(id)
    exec.status = "starting"
    exec.clients.add(sink, () => true)
    const forget = (): boolean => this.#byId.delete(id)
    try {
      const monitor = await this.#run(exec)
      const exited = monitor.exited.then(({ exitCode }) => exitCode)
      exited.finally(forget)
      return { exited, kill: () => monitor.kill() }
    } catch (error) {
      forget()
      throw error
    }
  }

  async inspect(id: string): Promise<ExecInspect> {
    const { id: fullId, config, container, status, pid, exitCode } = this.#get(id)
    const record = this.#parts.store.find(container)?.record
    if (record === undefined) throw noSuchExec(id)
    const [entrypoint = "", ...args] = config.Cmd ?? []
    const user = config.User || record.config.User
    return {
      ID: fullId,
      Running: status === "running",
      ExitCode: exitCode,
      ProcessConfig: {
        tty: config.Tty ?? false,
        entrypoint,
        arguments: args,
        privileged: config.Privileged ?? false,
        ...(user ? { user } : {}),
      },
      OpenStdin: config.AttachStdin ?? false,
      OpenStderr: config.AttachStderr ?? false,
      OpenStdout: config.AttachStdout ?? false,
      CanRemove: false,
      ContainerID: container,
      // Bytes, which are base64 in JSON.
      DetachKeys: config.DetachKeys ? Buffer.from(parseDetachKeys(config.DetachKeys)).toString("base64") : "",
      Pid: pid,
    }
  }

  async resize(id: string, size: { readonly height: number; readonly width: number }): Promise<void> {
    const exec = this.#get(id)
    if (exec.status === "created" || exec.status === "starting") exec.consoleSize = [size.height, size.width]
    else if (exec.status === "exited") throw new DhowError("conflict", `exec ${id} is not running`)
    exec.monitor?.resize(size.height, size.width)
  }

  /** Execs that were never started, and never will be: their container has ended. Looked for when many are known. */
  #forgetStranded(): void {
    if (this.#byId.size < this.#lookAt) return
    for (const [id, { status, container }] of this.#byId) {
      const state = this.#parts.store.find(container)?.state
      if (status === "created" && (state === undefined || !isRunning(state))) this.#byId.delete(id)
    }
    this.#lookAt = Math.max(FEW, 2 * this.#byId.size)
  }

  async #run(exec: Exec): Promise<Monitor> {
    const { config, id } = exec
    const parts = this.#parts
    const bundle = join(parts.config.execRoot, "execs", id)
    const container = parts.store.find(exec.container)
    if (container === undefined) {
      this.#byId.delete(id)
      throw new DhowError("not-found", `No such container: ${exec.container}`)
    }
    const { record } = container
    this.#emit(exec, `exec_start: ${commandText(config)}`)
    try {
      mkdirSync(bundle, { recursive: true, mode: 0o700 })
      const [height, width] = exec.consoleSize ?? []
      const sized: ExecConfig =
        height === undefined || width === undefined ? config : { ...config, ConsoleSize: [height, width] }
      writeFileSync(join(bundle, "process.json"), processText(parts, record, sized))
      refuseProgram(parts, { config, record, state: container.state })
      crashpoint("exec.start:before-launch")
      const runtime = runtimeOf(parts, record)
      const attached = exec.clients.waiting
      exec.monitor = await parts.supervisor.exec({
        id,
        container: record.id,
        bundle,
        runtime: { path: runtime.path, args: runtime.args },
        terminal: config.Tty ?? false,
        stdin: config.AttachStdin ?? false,
        ...(attached ? { beforeStart: (streams: Streams) => exec.clients.join(streams) } : {}),
      })
    } catch (error) {
      const failure = execFailure(parts, { error, config, record })
      exec.status = "exited"
      exec.exitCode = failure.exitCode ?? 126
      this.#clean(exec, bundle)
      throw failure
    }
    crashpoint("exec.start:after-launch")
    exec.status = "running"
    const { monitor } = exec
    exec.pid = monitor.pid
    monitor.exited
      .then(({ exitCode }) => {
        exec.status = "exited"
        exec.exitCode = exitCode
        // Many are remembered for a while: no more of them than is asked for.
        exec.monitor = undefined
        this.#emit(exec, "exec_die", { exitCode: String(exitCode) })
        exec.clients.end()
        exec.clients = NOBODY
        this.#clean(exec, bundle)
      })
      .catch((error) =>
        log.error("The end of an exec could not be recorded", { exec: id, error: describeError(error) }),
      )
    return monitor
  }

  #clean(exec: Exec, bundle: string): void {
    this.#parts.live.find(exec.container)?.execIds.delete(exec.id)
    this.#parts.supervisor.forget(exec.id)
    rmSync(bundle, { recursive: true, force: true })
    exec.endedAt = performance.now()
    this.#forgetLater()
  }

  /** One timer for all of them. */
  #forgetLater(): void {
    if (this.#forgetting !== undefined) return
    this.#forgetting = setTimeout(() => {
      this.#forgetting = undefined
      const before = performance.now() - REMEMBERED_MS
      let isLeft = false
      for (const { id, status, endedAt } of this.#byId.values())
        if (status === "exited" && endedAt < before) this.#byId.delete(id)
        else isLeft ||= status === "exited"
      if (isLeft) this.#forgetLater()
    }, REMEMBERED_MS / 10)
    this.#forgetting.unref()
  }

  #emit({ id, container }: Exec, action: string, more: Readonly<Record<string, string>> = {}): void {
    const record = this.#parts.store.find(container)?.record
    // Where the container was removed under it, its last event has been.
    if (record === undefined) return
    this.#parts.events.emit("container", action, container, attributesOf(record, { execID: id, ...more }))
  }

  #get(id: string): Exec {
    const exec = this.#byId.get(id) ?? this.#byPrefix(id)
    if (exec === undefined) throw noSuchExec(id)
    return exec
  }

  #byPrefix(prefix: string): Exec | undefined {
    if (prefix.length < 4) return undefined
    const found = [...this.#byId.values()].filter(({ id }) => id.startsWith(prefix))
    return found.length === 1 ? found[0] : undefined
  }
}

function runOf(state: ContainerState): string {
  return isRunning(state) ? state.startedAt : ""
}

function refuseUnlessActive(id: string, state: ContainerState, reference: string): void {
  if (state.status === "restarting")
    throw new DhowError("conflict", `Container ${id} is restarting, wait until the container is running`)
  if (!isRunning(state)) throw notRunning(id)
  if (state.status === "paused")
    throw new DhowError("conflict", `Container ${reference} is paused, unpause the container before exec`)
}

/** As Docker has it in events: with a blank behind a program that has no arguments. */
function commandText({ Cmd }: ExecConfig): string {
  const [program = "", ...args] = Cmd ?? []
  return `${program} ${args.join(" ")}`
}

function noSuchExec(id: string): DhowError {
  return new DhowError("not-found", `No such exec instance: ${id}`)
}
