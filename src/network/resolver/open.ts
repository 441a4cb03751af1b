// The engine's end of the resolver: finds the process, starts it, and asks it to serve. All that must outlast the engine is
// in the process and in the files of the exec root.
import { spawn } from "node:child_process"
import { closeSync, openSync, rmSync, statSync } from "node:fs"
import { join } from "node:path"
import { DhowError, describeError, errnoName } from "../../lib/errors.ts"
import { helperEnvironment } from "../../lib/helper-environment.ts"
import { log } from "../../lib/log.ts"
import { VERSION } from "../../lib/version.ts"
import type { Resolution, ResolverFailure } from "../../wire/resolve.ts"
import type { Resolver, ResolverOptions, ServeOptions } from "./contract.ts"
import { Control, ResolverGone } from "./control.ts"
import { controlPath, forgetServed, prepareResolverDirectory, resolverDirectory, servedKeys } from "./served-files.ts"

const PATIENCE_MS = 10_000
const RETRY_MS = 2
const AGAIN_MS = 1000
/** A process that lived so long did not die of its start. */
const STABLE_MS = 10_000

export function openResolver(options: ResolverOptions): Resolver {
  return new ResolverClient(options)
}

class ResolverClient implements Resolver {
  readonly #options: ResolverOptions
  /** A new build of the program takes the place of an old one's process. */
  readonly #mark: string
  readonly #served = new Set<string>()
  #control: Promise<Control> | undefined
  #again: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: ResolverOptions) {
    this.#options = options
    this.#mark = `${VERSION} ${statSync(options.internalCommand[0] ?? process.execPath, { throwIfNoEntry: false })?.mtimeMs ?? 0}`
  }

  async open(): Promise<void> {
    for (const key of servedKeys(this.#options.execRoot)) this.#served.add(key)
    if (this.#served.size > 0) await this.#connected()
  }

  warm(): void {
    this.#connected().catch((error: unknown) =>
      log.warn("the resolver does not start", { error: describeError(error) }),
    )
  }

  async serve(key: string, options: ServeOptions): Promise<void> {
    this.#served.add(key)
    try {
      await this.#ask(async (control) => await control.ask({ verb: "serve", key, options }))
    } catch (cause) {
      this.#served.delete(key)
      throw new DhowError("internal", `Cannot answer names in network namespace "${key}"`, { cause })
    }
  }

  withdraw(key: string): void {
    if (!this.#served.delete(key)) return
    forgetServed(this.#options.execRoot, key)
    // Where it is gone or not told, it looks at the rows by itself.
    this.#control?.then((control) => control.ask({ verb: "withdraw", key })).catch(() => undefined)
  }

  async explain(key: string, name: string): Promise<Resolution> {
    return await this.#ask(async (control) => await control.ask({ verb: "explain", key, name }))
  }

  async failures(): Promise<readonly ResolverFailure[]> {
    // A process that serves nothing has nothing to tell, and need not be started for that.
    return this.#served.size === 0 ? [] : await this.#ask(async (control) => await control.ask({ verb: "failures" }))
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#again)
    const { execRoot } = this.#options
    const control = await (this.#control ?? Control.connect(controlPath(execRoot))).catch(() => undefined)
    if (control !== undefined) {
      const { pid } = (await control.ask({ verb: "hello" }).catch(() => undefined)) ?? {}
      await control.ask({ verb: "stop" }).catch(() => undefined)
      const isOver = await Promise.race([control.closed.then(() => true), Bun.sleep(PATIENCE_MS).then(() => false)])
      if (!isOver && pid !== undefined) killIfThere(pid)
    }
    rmSync(resolverDirectory(execRoot), { recursive: true, force: true })
  }

  /** Once more where the process ended between our connection and our question. */
  async #ask<T>(body: (control: Control) => Promise<T>): Promise<T> {
    try {
      return await body(await this.#connected())
    } catch (error) {
      if (!(error instanceof ResolverGone)) throw error
      return await body(await this.#connected())
    }
  }

  #connected(): Promise<Control> {
    if (this.#control !== undefined) return this.#control
    const since = performance.now()
    const connecting = this.#connect()
    this.#control = connecting
    connecting.then(
      (control) => void control.closed.then(() => this.#gone(connecting, since)),
      () => this.#gone(connecting, since),
    )
    return connecting
  }

  /** Names are answered again as soon as may be, but one that dies at once is not started in a loop. */
  #gone(control: Promise<Control>, since: number): void {
    if (this.#control !== control) return
    this.#control = undefined
    if (this.#closed || this.#served.size === 0) return
    log.warn("the resolver has ended; starting it again")
    const lived = performance.now() - since
    clearTimeout(this.#again)
    this.#again = setTimeout(() => this.warm(), lived > STABLE_MS ? 0 : AGAIN_MS)
    this.#again.unref()
  }

  async #connect(): Promise<Control> {
    const path = controlPath(this.#options.execRoot)
    const found = await Control.connect(path).catch(() => undefined)
    if (found !== undefined) {
      const { mark } = await found.ask({ verb: "hello" })
      if (mark === this.#mark) return found
      found.close()
    }
    return await this.#start(path)
  }

  async #start(path: string): Promise<Control> {
    const { execRoot, database, internalCommand } = this.#options
    prepareResolverDirectory(execRoot)
    const logPath = join(resolverDirectory(execRoot), "log")
    const output = openSync(logPath, "w", 0o600)
    const [program = "", ...script] = internalCommand
    const child = spawn(program, [...script, "resolver", execRoot, database, this.#mark], {
      cwd: "/",
      detached: true,
      stdio: ["ignore", output, output],
      env: helperEnvironment(),
    })
    closeSync(output)
    child.unref()
    let ended: string | undefined
    child.once("exit", (code, signal) => {
      ended = signal === null ? `it ended with status ${code}` : `it was ended by ${signal}`
    })
    child.once("error", (error) => {
      ended = error.message
    })
    for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline; ) {
      const control = await Control.connect(path).catch(() => undefined)
      const { mark, pid } = (await control?.ask({ verb: "hello" }).catch(() => undefined)) ?? {}
      if (control !== undefined && (pid === child.pid || mark === this.#mark)) return control
      control?.close()
      if (ended !== undefined) break
      await Bun.sleep(RETRY_MS)
    }
    throw new DhowError("unavailable", `The resolver does not start: ${ended ?? "it does not listen"}`, {
      hint: `Its log is ${logPath}`,
    })
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL")
  } catch (error) {
    if (errnoName(error) !== "ESRCH") throw error
  }
}
