// crun, with the fast ways that its documented state directory allows: start is one byte into a fifo, a signal needs
// only the recorded process id, and removing an ended container is a few directories. Whatever looks unfamiliar there is
// left to crun itself, and so is a container with hooks, which crun's own start and delete run.
import { closeSync, constants, existsSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs"
import { readFile, rm } from "node:fs/promises"
import { join } from "node:path"
import { DhowError, errnoName } from "../lib/errors.ts"
import { readIfExists, unlinkIfExists } from "../lib/files.ts"
import { cgroupProcesses, clearCgroup, liftCpuLimit, liftProcessLimit, removeCgroup } from "./cgroups.ts"
import { CompiledSeccomp, SECCOMP_ANNOTATION } from "./compiled-seccomp.ts"
import type { Runtime } from "./contract.ts"
import { type GenericOptions, genericRuntime, stateDirectory } from "./generic.ts"
import { isAlive } from "./process-state.ts"
import { serializeSpec } from "./spec.ts"

type CrunStatus = {
  readonly pid: number
  readonly startTime: number
  readonly cgroupPath: string
  /** Made through systemd, which then has to be told of the end. */
  readonly systemd: boolean
}

export function crunRuntime(options: GenericOptions): Runtime {
  const { root, facts } = options
  const generic = genericRuntime(options)
  const cgroup = facts.cgroup
  const compiled = new CompiledSeccomp(`${root}-seccomp`, options.path)
  /** An empty file for each container that has hooks, by id. */
  const hooked = `${root}-hooks`

  const status = (id: string): CrunStatus | undefined => {
    const text = readIfExists(join(stateDirectory(root, id), "status"))
    return text === undefined ? undefined : parseStatus(text)
  }

  return {
    ...generic,

    config(id, spec) {
      if (spec.hooks !== undefined) {
        mkdirSync(hooked, { recursive: true, mode: 0o700 })
        writeFileSync(join(hooked, id), "")
      }
      const { seccomp } = spec.linux
      if (seccomp === undefined || spec.annotations?.[SECCOMP_ANNOTATION] !== undefined) return serializeSpec(spec)
      const program = compiled.lookUp(id, seccomp)
      if (program === undefined) return serializeSpec(spec)
      // The profile stays in the spec: a crun without this annotation compiles it, none runs without a filter.
      return serializeSpec({ ...spec, annotations: { ...spec.annotations, [SECCOMP_ANNOTATION]: program } })
    },

    async start(id) {
      await compiled.harvest(id, stateDirectory(root, id))
      if (existsSync(join(hooked, id)) || !writeFifo(join(stateDirectory(root, id), "exec.fifo")))
        await generic.start(id)
    },

    async kill(id, signal, pid) {
      const known = status(id)
      if (known === undefined || (pid !== undefined && pid !== known.pid)) return generic.kill(id, signal, pid)
      if (!isAlive(known.pid, known.startTime)) throw notRunning(id)
      try {
        process.kill(known.pid, signal)
      } catch (cause) {
        if (errnoName(cause) === "ESRCH") throw notRunning(id)
        throw new DhowError("internal", `Cannot send signal ${signal} to container "${id}"`, { cause })
      }
    },

    async delete(id, cgroupsPath) {
      compiled.forget(id)
      if (existsSync(join(hooked, id))) {
        await generic.delete(id, cgroupsPath)
        unlinkIfExists(join(hooked, id))
        return
      }
      const directory = stateDirectory(root, id)
      let text: string
      try {
        text = await readFile(join(directory, "status"), "utf8")
      } catch (error) {
        if (errnoName(error) !== "ENOENT") throw error
        // Without a status crun has nothing but the directory either.
        await rm(directory, { recursive: true, force: true })
        if (cgroupsPath !== undefined) await clearCgroup(cgroupsPath, cgroup)
        return
      }
      const known = parseStatus(text)
      const ended = known !== undefined && !known.systemd && !isAlive(known.pid, known.startTime)
      if (!ended || !removeCgroup(known.cgroupPath, cgroup)) return generic.delete(id, cgroupsPath)
      await rm(directory, { recursive: true, force: true })
    },

    async update(id, resources) {
      const known = status(id)
      if (known === undefined) return generic.update(id, resources)
      // On cgroup v1 crun 1.8 writes both as numbers without a sign, which the kernel refuses.
      const { pids, cpu: { quota, ...cpu } = {}, ...others } = resources
      const rest = {
        ...others,
        ...(pids !== undefined && pids.limit > 0 ? { pids } : {}),
        ...(quota !== undefined && quota > 0 ? { cpu: { ...cpu, quota } } : Object.keys(cpu).length > 0 ? { cpu } : {}),
      }
      // A period could contradict the quota that is to go.
      if (quota !== undefined && quota <= 0) liftCpuLimit(known.cgroupPath, cgroup)
      if (Object.keys(rest).length > 0) await generic.update(id, rest)
      if (pids !== undefined && pids.limit <= 0) liftProcessLimit(known.cgroupPath, cgroup)
    },

    async processes(id) {
      const known = status(id)
      return known === undefined ? generic.processes(id) : cgroupProcesses(known.cgroupPath, cgroup)
    },
  }
}

/**
 * Lets a created container go: its init reads from the fifo until a byte comes. Returns false when there is no fifo, or
 * nobody reads it: then crun itself knows better what is wrong.
 */
function writeFifo(path: string): boolean {
  let fd: number
  try {
    // O_NONBLOCK: opening a fifo whose reader has died must fail, not wait.
    fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
  } catch (error) {
    const code = errnoName(error)
    if (code === "ENOENT" || code === "ENXIO") return false
    throw error
  }
  try {
    // crun takes a container whose fifo is gone for a started one, so it goes first.
    unlinkIfExists(path)
    writeSync(fd, "\0")
    return true
  } catch (error) {
    if (errnoName(error) === "EPIPE")
      throw new DhowError("conflict", "The container's process ended before it was started", { cause: error })
    throw error
  } finally {
    closeSync(fd)
  }
}

/** undefined when a later crun writes something else. */
function parseStatus(text: string): CrunStatus | undefined {
  try {
    const value = JSON.parse(text) as Record<string, unknown>
    const { pid, scope } = value
    const startTime = value["process-start-time"]
    const cgroupPath = value["cgroup-path"]
    if (typeof pid !== "number" || pid <= 0 || typeof startTime !== "number" || startTime <= 0) return undefined
    if (typeof cgroupPath !== "string" || !cgroupPath.startsWith("/")) return undefined
    return { pid, startTime, cgroupPath, systemd: value["systemd-cgroup"] === true || Boolean(scope) }
  } catch {
    return undefined
  }
}

function notRunning(id: string): DhowError {
  return new DhowError("conflict", `container ${id} is not running`)
}
