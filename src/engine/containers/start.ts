// Start: root, network, spec, monitor, process. Whatever fails, everything before it is undone; the engine may be killed
// at any point, and reconciliation undoes or finishes what the intent in the row tells.
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { answering } from "../../lib/answering.ts"
import { crashpoint } from "../../lib/crashpoint.ts"
import { DhowError, describeError } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"
import { Phases } from "../../lib/phases.ts"
import { now } from "../../lib/time.ts"
import { Undo } from "../../lib/undo.ts"
import { withCdiDevices } from "../../runtime/cdi/apply.ts"
import type { Runtime } from "../../runtime/contract.ts"
import { resolveDevices } from "../../runtime/devices.ts"
import { CREATE_FAILED, runtimeError } from "../../runtime/errors.ts"
import { containerSpec } from "../../runtime/spec.ts"
import { resolveUser } from "../../runtime/user.ts"
import type { Monitor } from "../../supervisor/contract.ts"
import type { ContainerConfig } from "../../wire/container.ts"
import { reportFailure } from "../exits/report.ts"
import { attributesOf } from "./attributes.ts"
import { withDaemonDefaults } from "./daemon-defaults.ts"
import { erase } from "./erase.ts"
import { watchExit } from "./exits.ts"
import { feedLog, prepareLog } from "./feed-log.ts"
import { freshHealth } from "./health.ts"
import { beginHealthChecks } from "./health-checks.ts"
import { mountImages } from "./image-mounts.ts"
import { linkedEnvironment, tellParents } from "./links.ts"
import type { Live } from "./live.ts"
import { logOf } from "./log-settings.ts"
import { unmapAll } from "./mapped-mounts.ts"
import { commandOf } from "./merge-config.ts"
import { runtimeMounts } from "./mounts.ts"
import { chooseNamespaces } from "./namespaces.ts"
import { attachNetwork, type ContainerNetwork, hostnameOf, writeNetworkRecord } from "./network.ts"
import type { ContainerParts } from "./parts.ts"
import { cgroupsPathOf, containerPaths } from "./paths.ts"
import { mountedProgramProblem, type ProgramProblem, programProblem } from "./program.ts"
import { rootPropagation } from "./propagation.ts"
import { type ContainerRecord, freshRun, isRunning, NEVER, type PendingUpdate } from "./record.ts"
import { startRequirements } from "./requirements.ts"
import { runtimeOf } from "./runtime.ts"
import { withSystemd } from "./systemd.ts"
import { removeBundle } from "./teardown.ts"
import { armTimeLimit } from "./time-limit.ts"
import { emitTaken } from "./usage-events.ts"
import { holdVolumes } from "./volume-holds.ts"

/** Starts under the container's lock, once what it requires is there. */
export async function startContainer(parts: ContainerParts, reference: string): Promise<"started" | "unchanged"> {
  const { record, state: before } = parts.store.resolve(reference)
  const { id } = record
  if (record.hostConfig.Requires?.length && !isRunning(before)) {
    try {
      await startRequirements(parts, id)
    } catch (error) {
      await parts.locks.hold(id, async () => {
        const state = parts.store.find(id)?.state
        if (state !== undefined && !isRunning(state)) await recordFailure(parts, record, error)
      })
      throw error
    }
  }
  return await parts.locks.hold(id, () => startLocked(parts, id, 0))
}

/**
 * The same, by whoever holds the lock already. `restarts` is how often the policy has started it in a row, this start
 * included; it is recorded when the process runs, so that a start which a crash undid does not count.
 */
export async function startLocked(
  parts: ContainerParts,
  id: string,
  restarts: number,
): Promise<"started" | "unchanged"> {
  const { record, state, intent } = parts.store.get(id)
  if (state.status === "paused") throw new DhowError("conflict", "cannot start a paused container, try unpause instead")
  if (isRunning(state)) return "unchanged"
  if (state.status === "removing" || state.status === "dead")
    throw new DhowError("conflict", "container is marked for removal and cannot be started")
  const live = parts.live.of(id)
  clearTimeout(live.restart?.timer)
  live.restart = undefined
  // A start by a user begins the pauses between restarts anew.
  if (restarts === 0) live.restartDelay = 0
  await live.teardown
  const { pending } = record
  if (pending?.kind === "restarting") parts.snapshotter.rebase(id, record.layers)
  // The start of a restart is wanted after a crash too; any other start that did not come to its end never was.
  parts.store.intend(id, intent === "restarting" ? intent : "starting")
  crashpoint("container.start:after-intent")
  try {
    await run(parts, record, restarts)
  } catch (error) {
    if (pending?.kind === "restarting") return await startAsBefore(parts, record, { pending, error, restarts })
    await recordFailure(parts, record, error)
    throw error
  }
  if (pending !== undefined) parts.store.amend(id, { pending: undefined })
  return "started"
}

/** What an update made of it cannot be started: it is what it was before, and runs. Throws why. */
async function startAsBefore(
  parts: ContainerParts,
  { id, name }: ContainerRecord,
  failed: {
    readonly pending: Extract<PendingUpdate, { readonly kind: "restarting" }>
    readonly error: unknown
    readonly restarts: number
  },
): Promise<never> {
  const { pending, error, restarts } = failed
  const kind = error instanceof DhowError ? error.kind : "internal"
  parts.snapshotter.rebase(id, pending.before.layers)
  const { record } = parts.store.amend(id, { ...pending.before, pending: undefined })
  crashpoint("container.update:after-rollback")
  parts.store.intend(id, "starting")
  try {
    // The address is still to be the one it had.
    await run(parts, { ...record, pending }, restarts)
  } catch (again) {
    await recordFailure(parts, record, again)
    throw new DhowError(kind, `Container "${name}" cannot be started, as it was neither`, { cause: error })
  }
  throw new DhowError(kind, `Container "${name}" cannot be started so, and runs as it was`, { cause: error })
}

async function run(parts: ContainerParts, record: ContainerRecord, restarts: number): Promise<void> {
  const { id, hostConfig, config } = record
  const paths = containerPaths(parts.config, id)
  const live = parts.live.of(id)
  const runtime = runtimeOf(parts, record)

  const phases = new Phases()
  // Let go of last: from then on the container that runs is who needs them.
  await using volumes = await holdVolumes(parts.volumes, record.mounts)
  await using undo = new Undo(`start of container "${record.name}"`)
  mkdirSync(paths.rootfs, { recursive: true, mode: 0o700 })
  undo.defer(() => removeBundle(paths))
  parts.snapshotter.mount(id, paths.rootfs)
  phases.mark("mount")
  crashpoint("container.start:after-mount")

  undo.defer(() => parts.networks.release(id))
  const network = await attachNetwork(parts, record)
  writeNetworkRecord(paths, network)
  phases.mark("network")
  crashpoint("container.start:after-network")
  const namespaces = chooseNamespaces(parts, id, hostConfig)
  const payload = withSystemd(parts, record, paths.rootfs)
  const user = resolveUser(paths.rootfs, config.User ?? "", hostConfig.GroupAdd ?? [])
  const mounts = await runtimeMounts(mountImages(parts.snapshotter, { id, mounts: volumes.mounts }, paths), {
    rootfs: paths.rootfs,
    user: () => user,
    mapped: paths.mapped,
  })
  await answering((hostConfig.Devices ?? []).map(({ PathOnHost }) => PathOnHost ?? ""))
  const { spec: plain, warnings } = containerSpec({
    id,
    hostname: hostnameOf(parts, record),
    config: payload.config,
    linked: linkedEnvironment(parts, record),
    hostConfig: withDaemonDefaults(payload.hostConfig, parts.config),
    rootfs: paths.rootfs,
    mounts: [
      ...network.mounts.filter((file) => !mounts.some((mount) => mount.destination === file.destination)),
      ...(namespaces.shm === undefined
        ? []
        : [{ destination: "/dev/shm", type: "bind", source: namespaces.shm, options: ["rbind", "rprivate"] }]),
      ...mounts,
      ...payload.mounts,
    ],
    ...rootPropagation(mounts, hostConfig.Tmpfs ?? {}),
    user,
    devices: resolveDevices(hostConfig),
    network: network.choice,
    interfaceSysctls: network.sysctls ?? {},
    pid: namespaces.pid,
    ipc: namespaces.ipc,
    uts: namespaces.uts,
    cgroup: payload.cgroup ?? namespaces.cgroup,
    init: hostConfig.Init && namespaces.pid === "private" ? parts.initPath : undefined,
    cgroupsPath: cgroupsPathOf(parts.config, record),
    host: parts.host,
  })
  for (const warning of warnings) log.warn(warning, { container: record.name })
  const spec = withCdiDevices(plain, hostConfig.DeviceRequests, parts.config.cdiSpecDirs)
  writeFileSync(join(paths.bundle, "config.json"), runtime.config(id, spec))

  phases.mark("spec")
  undo.defer(() => parts.supervisor.forget(id))
  undo.defer(() => runtime.delete(id, spec.linux.cgroupsPath))
  const prepared = await prepareLog(parts, record)
  undo.defer(() => prepared?.close())
  const monitor = await launch(parts, record, runtime)
  unmapAll(paths.mapped)
  if (hasMounts(record))
    refuseProgram(mountedProgramProblem(parts, record, { pid: monitor.pid, program: programOf(record.config) }))
  phases.mark("create")
  crashpoint("container.start:after-launch")
  if (live.clients.waiting) {
    const streams = await monitor.streams()
    if (streams !== undefined) live.clients.join(streams)
  }
  phases.mark("attach")
  // Before anything that the program writes: who follows the log asks for what came since.
  const since = { startedAt: now(), at: Date.now() }
  await runtime.start(id)
  phases.mark("start")
  crashpoint("container.start:after-process")
  observeRunning(parts, record, { monitor, network, restarts, ...since })
  feedLog(parts, record, { monitor, prepared })
  undo.forget()
  await joinLate(live, monitor)
  phases.mark("record")
  log.debug("Started", { container: id, milliseconds: phases.took })
}

async function launch(parts: ContainerParts, record: ContainerRecord, runtime: Runtime): Promise<Monitor> {
  const { id, config } = record
  const paths = containerPaths(parts.config, id)
  const launched = parts.supervisor.launch({
    id,
    bundle: paths.bundle,
    runtime: { path: runtime.path, args: runtime.args },
    terminal: config.Tty ?? false,
    stdin: config.OpenStdin ?? false,
    leaveStdinOpen: (config.Tty ?? false) || !(config.StdinOnce ?? false),
    ...logOf(parts, record),
  })
  // While the runtime works. Once the process is to become the program, it is too late to say what is wrong with that.
  const problem = hasMounts(record) ? undefined : lookAtProgram(parts, record)
  let monitor: Monitor
  try {
    monitor = await launched
  } catch (error) {
    if (error instanceof DhowError && error.kind === "unavailable") throw error
    refuseProgram(problem)
    const text = error instanceof Error ? error.message : String(error)
    const failure = runtimeError(text, { verb: "create", command: commandOf(config).path })
    // The file system knows better than the runtime's text what is wrong with the program.
    if (failure.exitCode !== undefined) refuseProgram(lookAtProgram(parts, record))
    throw failure
  }
  refuseProgram(problem)
  return monitor
}

function lookAtProgram(parts: ContainerParts, record: ContainerRecord): ProgramProblem | undefined {
  try {
    return programProblem(parts, record, programOf(record.config))
  } catch (error) {
    log.debug("The program cannot be looked at", { container: record.name, error: describeError(error) })
    return undefined
  }
}

function refuseProgram(problem: ProgramProblem | undefined): void {
  if (problem === undefined) return
  const { detail, exitCode, hint } = problem
  throw new DhowError("invalid", `${CREATE_FAILED}: ${detail}`, { exitCode, ...(hint === undefined ? {} : { hint }) })
}

function hasMounts({ mounts, hostConfig }: ContainerRecord): boolean {
  return mounts.length > 0 || Object.keys(hostConfig.Tmpfs ?? {}).length > 0
}

function programOf(config: ContainerConfig): { command: string; cwd: string; env: readonly string[] } {
  return { command: commandOf(config).path, cwd: config.WorkingDir || "/", env: config.Env ?? [] }
}

function observeRunning(
  parts: ContainerParts,
  record: ContainerRecord,
  run: {
    readonly monitor: Monitor
    readonly network: ContainerNetwork
    readonly restarts: number
    /** When the process was let go, in text and in milliseconds. */
    readonly startedAt: string
    readonly at: number
  },
): void {
  const { id } = record
  const { monitor, network, restarts, startedAt, at } = run
  const history = freshRun(parts.store.get(id).state)
  parts.store.observe(id, {
    ...history,
    status: "running",
    startedAt,
    finishedAt: history.finishedAt,
    exitCode: 0,
    error: "",
    oomKilled: false,
    restartCount: restarts,
    stoppedByUser: false,
    ...freshHealth(record.config),
    process: {
      pid: monitor.pid,
      networkNamespace: network.namespace,
      endpoints: network.endpoints,
      ports: network.ports,
    },
  })
  // From here on it runs, whatever else fails.
  parts.live.of(id).monitor = monitor
  tellParents(parts, id, network.endpoints["bridge"])
  emitTaken(parts, record, { endpoints: network.endpoints, at })
  parts.events.emit("container", "start", id, attributesOf(record), at)
  watchExit(parts, id, monitor)
  beginHealthChecks(parts, id)
  if (record.hostConfig.Timeout) armTimeLimit(parts, id)
}

/** Clients that came while the process was being let go; what it wrote before that is in the log. */
async function joinLate(live: Live, monitor: Monitor): Promise<void> {
  if (!live.clients.waiting || live.clients.connected) return
  const streams = await monitor.streams()
  if (streams !== undefined && live.monitor === monitor) live.clients.join(streams)
}

/** The container is as it was before, but knows why it did not start; with --rm it is gone. */
async function recordFailure(parts: ContainerParts, record: ContainerRecord, error: unknown): Promise<void> {
  const { id } = record
  const exitCode = (error instanceof DhowError ? error.exitCode : undefined) ?? 128
  const { state } = parts.store.get(id)
  const history = freshRun(state)
  const message = describeError(error)
  const report = reportFailure({ record, state }, { exitCode, error: message, at: now() })
  try {
    parts.store.observe(
      id,
      { ...history, status: state.startedAt === NEVER ? "created" : "exited", exitCode, error: message },
      undefined,
      () => parts.exits.add(report),
    )
  } catch (cause) {
    // A full disk, as a rule. The intent stays, and the next start of the engine finds nothing to finish.
    log.error("Why a container did not start cannot be recorded", { container: id, error: describeError(cause) })
  }
  parts.exits.prune()
  const live = parts.live.of(id)
  live.clients.end()
  live.runEnded()
  parts.events.emit("container", "die", id, attributesOf(record, { exitCode: String(exitCode) }))
  // Without the reason: whoever started it has that, and clients would print it twice.
  live.answer({ StatusCode: exitCode }, ["next-exit", "not-running"])
  if (record.hostConfig.AutoRemove) await erase(parts, id, { volumes: true })
}
