// A bundle with a busybox root file system, real conmon and real crun, under a state root of the test's own.

import { randomBytes } from "node:crypto"
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { ExecLaunchOptions, LaunchOptions, StreamListener, Supervisor } from "../../src/supervisor/contract.ts"

export const CGROUP_PARENT = `/dhow-test-supervisor-${process.pid}`

export type Fixture = {
  readonly root: string
  readonly execRoot: string
  /** Runtime with a state directory of its own. */
  readonly runtime: { readonly path: string; readonly args: readonly string[] }
  /** Writes the bundle; nothing is started. */
  bundle(args: readonly string[], options?: { readonly terminal?: boolean; readonly memory?: number }): LaunchOptions
  start(id: string): Promise<void>
  exec(container: string, args: readonly string[], terminal?: boolean): ExecLaunchOptions
  crun(...args: string[]): Promise<{ readonly status: number; readonly output: string }>
  remove(): Promise<void>
}

export function openFixture(options: { readonly longPath?: boolean } = {}): Fixture {
  const base = mkdtempSync(join(tmpdir(), "dhow-supervisor-"))
  const root = options.longPath === true ? join(base, "d".repeat(150)) : base
  const execRoot = join(root, "run")
  const rootfs = join(root, "rootfs")
  for (const name of ["bin", "proc", "dev", "sys", "tmp"]) mkdirSync(join(rootfs, name), { recursive: true })
  copyFileSync("/bin/busybox", join(rootfs, "bin/busybox"))
  for (const applet of [
    "sh",
    "cat",
    "echo",
    "sleep",
    "dd",
    "true",
    "stty",
    "head",
    "seq",
    "md5sum",
    "test",
    "tail",
    "yes",
  ])
    symlinkSync("busybox", join(rootfs, "bin", applet))
  const runtime = { path: "/usr/bin/crun", args: ["--root", join(base, "crun"), "--cgroup-manager", "cgroupfs"] }
  const ids: string[] = []

  async function crun(...args: string[]) {
    const child = Bun.spawn([runtime.path, ...runtime.args, ...args], { stdio: ["ignore", "pipe", "pipe"] })
    const [output, errors, status] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ])
    return { status, output: output + errors }
  }

  return {
    root,
    execRoot,
    runtime,
    crun,
    bundle(args, { terminal = false, memory } = {}) {
      const id = randomBytes(32).toString("hex")
      ids.push(id)
      const bundle = join(root, "containers", id)
      mkdirSync(bundle, { recursive: true })
      writeFileSync(join(bundle, "config.json"), JSON.stringify(spec(id, rootfs, args, terminal, memory)))
      const logPath = join(bundle, "container.log")
      return { id, bundle, runtime, terminal, stdin: false, leaveStdinOpen: false, logPath }
    },
    exec(container, args, terminal = false) {
      const id = randomBytes(32).toString("hex")
      const bundle = join(execRoot, "execs", id)
      mkdirSync(bundle, { recursive: true })
      writeFileSync(join(bundle, "process.json"), JSON.stringify(processOf(args, terminal)))
      return { id, container, bundle, runtime, terminal, stdin: false }
    },
    async start(id) {
      const { status, output } = await crun("start", id)
      if (status !== 0) throw new Error(output)
    },
    async remove() {
      for (const id of ids) await crun("delete", "--force", id)
      rmSync(base, { recursive: true, force: true })
      removeCgroups()
    },
  }
}

function processOf(args: readonly string[], terminal: boolean) {
  return { terminal, user: { uid: 0, gid: 0 }, args, env: ["PATH=/bin", "TERM=xterm"], cwd: "/" }
}

function spec(id: string, rootfs: string, args: readonly string[], terminal: boolean, memory: number | undefined) {
  return {
    ociVersion: "1.0.2",
    process: processOf(args, terminal),
    root: { path: rootfs, readonly: true },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755", "size=65536k"] },
      { destination: "/dev/pts", type: "devpts", source: "devpts", options: ["newinstance", "ptmxmode=0666"] },
    ],
    linux: {
      cgroupsPath: `${CGROUP_PARENT}/${id}`,
      namespaces: ["pid", "ipc", "uts", "mount"].map((type) => ({ type })),
      ...(memory === undefined ? {} : { resources: { memory: { limit: memory, swap: memory } } }),
    },
  }
}

function removeCgroups(): void {
  const mounts = readFileSync("/proc/mounts", "utf8").split("\n")
  for (const line of mounts) {
    const [, target, type] = line.split(" ")
    if (type !== "cgroup" && type !== "cgroup2") continue
    try {
      rmSync(join(target!, CGROUP_PARENT), { recursive: false, force: true, maxRetries: 0 })
    } catch {
      Bun.spawnSync(["rmdir", join(target!, CGROUP_PARENT)], { stderr: "ignore" })
    }
  }
}

export type Collected = {
  readonly listener: StreamListener
  readonly ended: Promise<void>
  text(stream: 1 | 2): string
  /** Resolves when standard output has shown the text. */
  contains(text: string): Promise<void>
}

/** Keeps everything. */
export function collect(): Collected {
  const chunks: Record<1 | 2, Buffer[]> = { 1: [], 2: [] }
  let awaited: { readonly text: string; readonly resolve: () => void } | undefined
  const text = (stream: 1 | 2): string => Buffer.concat(chunks[stream]).toString()
  const contains = (wanted: string): Promise<void> => {
    if (text(1).includes(wanted)) return Promise.resolve()
    return new Promise((resolve) => {
      awaited = { text: wanted, resolve }
    })
  }
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  const listener: StreamListener = {
    data(stream, chunk) {
      chunks[stream].push(Buffer.from(chunk))
      if (awaited !== undefined && text(1).includes(awaited.text)) awaited.resolve()
      return true
    },
    drained: () => Promise.resolve(),
    end: resolve,
  }
  return { listener, ended, text, contains }
}

/** Launches, listens, starts; the process has not run before the listener was there. */
export async function run(fixture: Fixture, supervisor: Supervisor, options: LaunchOptions) {
  const monitor = await supervisor.launch(options)
  const streams = (await monitor.streams())!
  const output = collect()
  streams.listen(output.listener)
  await fixture.start(options.id)
  return { monitor, streams, output }
}
