// Starts, finds again and forgets conmons. A conmon is started as our child in a session of its own and outlives us; what
// it leaves in its bundle (conmon.pid, pidfile, ctl, attach) is how a later engine finds it.
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { crashpoint } from "../lib/crashpoint.ts"
import { DhowError } from "../lib/errors.ts"
import { ensureDirectory, readIfExists, unlinkIfExists } from "../lib/files.ts"
import { EXEC_EXIT_FILE, execArguments, launchArguments, PID_FILE } from "./arguments.ts"
import type { ExecLaunchOptions, ExitRecord, LaunchOptions, LogRotation, Monitor, Supervisor } from "./contract.ts"
import { readExitFile } from "./exit-file.ts"
import { ConmonMonitor } from "./monitor.ts"
import { Orphans } from "./orphans.ts"
import { isAlive, processStat, watchProcess } from "./process.ts"
import { StreamHub } from "./streams.ts"
import { SyncPipe } from "./sync-pipe.ts"

const CONMON_PLACES = [
  "/usr/bin/conmon",
  "/usr/libexec/podman/conmon",
  "/usr/lib/podman/conmon",
  "/usr/local/bin/conmon",
]
const ID_LENGTH = 64
const CONMON_PID_FILE = "conmon.pid"
/** All that conmon and the runtime make in a bundle for one life of a process. */
const TRACES = [CONMON_PID_FILE, PID_FILE, "attach", "ctl", "winsz", "oom", EXEC_EXIT_FILE]
/** Between two looks for a creation that an earlier engine began; it takes some 10 ms. */
const CREATION_LOOK_MS = 5

export type SupervisorOptions = {
  /** Exit files go to its directory `exits`: it must survive the engine, not a reboot. */
  readonly execRoot: string
  /** Looked for in the usual places when not given. */
  readonly conmonPath?: string
}

export function findConmon(): string | undefined {
  return Bun.which("conmon") ?? CONMON_PLACES.find((path) => existsSync(path))
}

export function openSupervisor({ execRoot, conmonPath }: SupervisorOptions): Supervisor {
  const exits = join(execRoot, "exits")
  ensureDirectory(exits, 0o700)
  const monitors = new Map<string, ConmonMonitor>()
  const orphans = new Orphans()
  let conmon = conmonPath

  function conmonProgram(): string {
    conmon ??= findConmon()
    if (conmon === undefined)
      throw new DhowError("unavailable", "Cannot find conmon, which supervises containers", {
        hint: "Install the package conmon",
      })
    return conmon
  }

  async function begin(job: {
    readonly id: string
    readonly bundle: string
    readonly arguments: readonly string[]
    readonly exitFile: string
    readonly hub: StreamHub
    readonly beforeStart?: ExecLaunchOptions["beforeStart"]
    readonly logPath?: string | undefined
    readonly logRotation?: LogRotation | undefined
  }): Promise<Monitor> {
    const { id, bundle, exitFile, hub, beforeStart } = job
    sweep(bundle, exitFile)
    const child = spawnConmon(conmonProgram(), job.arguments, bundle, beforeStart !== undefined)
    crashpoint("supervisor.launch:before-pid-file")
    writeFileSync(join(bundle, CONMON_PID_FILE), String(child.process.pid))
    crashpoint("supervisor.launch:before-created")
    const pipe = await SyncPipe.open(child.fd)
    try {
      if (beforeStart !== undefined) {
        // Once for conmon itself, once for the runtime it starts when we are connected.
        pipe.go()
        const ready = await pipe.next()
        if (ready?.data === 0 && (await hub.connect())) {
          beforeStart(hub)
          pipe.go()
        } else if (ready !== undefined) throw new DhowError("internal", ready.message ?? `Cannot attach to "${id}"`)
      }
      const created = await pipe.next()
      if (created === undefined || !(created.data > 0)) {
        const status = await child.process.exited
        throw new DhowError("internal", created?.message?.trim() || (await lastWords(child.process, status)))
      }
      const monitor = new ConmonMonitor({
        id,
        bundle,
        exitFile,
        hub,
        logPath: job.logPath,
        logRotation: job.logRotation,
        pid: created.data,
        startTime: processStat(created.data)?.startTime,
        conmonPid: child.process.pid,
        conmonEnded: child.process.exited,
      })
      monitors.set(id, monitor)
      return monitor
    } catch (error) {
      child.process.kill("SIGKILL")
      await child.process.exited
      sweep(bundle, exitFile)
      throw error
    } finally {
      // Nothing more is said over it that the exit file does not say as well.
      pipe.close()
    }
  }

  return {
    launch(options: LaunchOptions): Promise<Monitor> {
      return begin({
        ...options,
        arguments: launchArguments(options, exits),
        exitFile: join(exits, options.id),
        hub: new StreamHub(options),
      })
    },

    exec(options: ExecLaunchOptions): Promise<Monitor> {
      return begin({
        ...options,
        arguments: execArguments(options),
        exitFile: join(options.bundle, EXEC_EXIT_FILE),
        hub: new StreamHub({ ...options, leaveStdinOpen: false }),
      })
    },

    async adopt({ id, bundle, pid: known, logPath, logRotation }): Promise<Monitor | ExitRecord | "lost"> {
      const own = monitors.get(id)
      if (own !== undefined) return own
      const exitFile = [join(exits, id), join(bundle, EXEC_EXIT_FILE)]
      const recorded = () => readExitFile(exitFile[0]!, bundle) ?? readExitFile(exitFile[1]!, bundle)
      const exit = recorded()
      if (exit !== undefined) return exit
      const found = orphans.find(id, Number(readIfExists(join(bundle, CONMON_PID_FILE))), known)
      if (found === undefined) return recorded() ?? "lost"
      const { promise: conmonEnded, resolve } = Promise.withResolvers<void>()
      if (!(await watchProcess(found.pid, resolve))) return recorded() ?? "lost"
      const pid = await createdPid(known, bundle, found.pid)
      const stat = processStat(pid)
      const monitor = new ConmonMonitor({
        id,
        bundle,
        pid,
        startTime: stat?.parent === found.pid ? stat.startTime : undefined,
        conmonPid: found.pid,
        exitFile: found.exec ? exitFile[1]! : exitFile[0]!,
        hub: new StreamHub({ bundle, ...found }),
        logPath,
        logRotation,
        conmonEnded,
      })
      monitors.set(id, monitor)
      return monitor
    },

    forget(id: string): void {
      const monitor = monitors.get(id)
      monitors.delete(id)
      const exitFile = join(exits, id)
      unlinkIfExists(exitFile)
      if (monitor === undefined) return
      sweep(monitor.bundle, exitFile)
      // Forgotten while its process was being killed: conmon writes its exit file after that. Unless the id lives again.
      monitor.exited.then(() => {
        if (!monitors.has(id)) unlinkIfExists(exitFile)
      })
    },

    sweep(known: ReadonlySet<string>): void {
      // conmon writes to the id with something behind it first.
      for (const name of readdirSync(exits)) if (!known.has(name.slice(0, ID_LENGTH))) unlinkIfExists(join(exits, name))
    },
  }
}

function spawnConmon(program: string, options: readonly string[], bundle: string, attach: boolean) {
  try {
    const child = Bun.spawn([program, ...options], {
      cwd: bundle,
      stdio: ["ignore", "ignore", "pipe", "pipe"],
      env: environment(attach),
    })
    return { process: child, fd: child.stdio[3] as unknown as number }
  } catch (cause) {
    throw new DhowError("unavailable", `Cannot run "${program}"`, { cause, hint: "Install the package conmon" })
  }
}

/** One socket pair serves all three pipes: conmon reads from the start pipe only and writes to the other two only. */
function environment(attach: boolean): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    // crun keeps the state of rootless containers there.
    ...(process.env["XDG_RUNTIME_DIR"] === undefined ? {} : { XDG_RUNTIME_DIR: process.env["XDG_RUNTIME_DIR"] }),
    // Log timestamps in UTC, whatever the host's zone.
    TZ: "UTC0",
    // The console socket is made there: in the bundle, where a short relative path reaches it.
    TMPDIR: ".",
    _OCI_SYNCPIPE: "3",
    ...(attach ? { _OCI_ATTACHPIPE: "3", _OCI_STARTPIPE: "3" } : {}),
  }
}

/**
 * The pid of the process, which the engine before us may not have lived to learn. Where the runtime is still making it,
 * that is waited for, or else a delete could come too early: the runtime writes the pid when its own state is complete.
 */
async function createdPid(known: number, bundle: string, conmonPid: number): Promise<number> {
  if (known > 0) return known
  for (;;) {
    const alive = isAlive(conmonPid)
    const written = Number(readIfExists(join(bundle, PID_FILE)))
    if (written > 0) return written
    if (!alive) return 0
    await Bun.sleep(CREATION_LOOK_MS)
  }
}

function sweep(bundle: string, exitFile: string): void {
  unlinkIfExists(exitFile)
  for (const name of TRACES) rmSync(join(bundle, name), { force: true })
}

async function lastWords(child: { readonly stderr: ReadableStream<Uint8Array> }, status: number): Promise<string> {
  const text = (await new Response(child.stderr).text()).replace(/^\[conmon:[a-z]\]:? */gm, "").trim()
  return text || `conmon ended with status ${status} and without a word`
}
