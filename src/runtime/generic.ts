// Any OCI runtime through its command line (https://github.com/opencontainers/runtime-tools, "runtime command line
// interface"): the way for runc and for those the user names.
import { rm } from "node:fs/promises"
import { join } from "node:path"
import { DhowError } from "../lib/errors.ts"
import type { RuntimeResources } from "../oci/runtime-spec.ts"
import { clearCgroup } from "./cgroups.ts"
import type { Runtime, RuntimeStatus } from "./contract.ts"
import { plainMessage } from "./errors.ts"
import type { HostFacts } from "./host-facts.ts"
import { invoke, type Outcome } from "./invoke.ts"
import { serializeSpec } from "./spec.ts"

export type GenericOptions = {
  readonly name: string
  readonly path: string
  /** Directory of the runtime's own state. */
  readonly root: string
  readonly runtimeArgs?: readonly string[] | undefined
  readonly facts: HostFacts
}

const STATUSES: ReadonlySet<string> = new Set(["creating", "created", "running", "paused", "stopped"])
let serial = 0

export function genericRuntime(options: GenericOptions): Runtime {
  const { name, path, root } = options
  const args = [...(options.runtimeArgs ?? []), "--root", root]
  const run = (verb: string, ...rest: readonly string[]): Promise<Outcome> => invoke(path, [...args, verb, ...rest])
  const mustRun = async (verb: string, id: string, ...rest: readonly string[]): Promise<Outcome> => {
    const outcome = await run(verb, ...rest, id)
    if (outcome.exitCode !== 0) throw failure(name, verb, id, outcome)
    return outcome
  }

  return {
    name,
    path,
    args,

    config(_id, spec) {
      return serializeSpec(spec)
    },

    async start(id) {
      await mustRun("start", id)
    },

    async kill(id, signal) {
      const outcome = await run("kill", id, String(signal))
      if (outcome.exitCode !== 0) throw runningFailure(name, "kill", id, outcome)
    },

    async pause(id) {
      const outcome = await run("pause", id)
      if (outcome.exitCode !== 0) throw runningFailure(name, "pause", id, outcome)
    },

    async resume(id) {
      const outcome = await run("resume", id)
      if (outcome.exitCode !== 0) throw runningFailure(name, "resume", id, outcome)
    },

    async delete(id, cgroupsPath) {
      // With --force a container that the runtime does not know is no failure.
      await mustRun("delete", id, "--force")
      if (cgroupsPath !== undefined) await clearCgroup(cgroupsPath, options.facts.cgroup)
    },

    async state(id) {
      const outcome = await run("state", id)
      if (outcome.exitCode !== 0) {
        if (/does not exist|No such file|not found/i.test(outcome.stderr)) return undefined
        throw failure(name, "state", id, outcome)
      }
      return parseState(outcome.stdout, name, id)
    },

    async update(id, resources: RuntimeResources) {
      // A file: crun takes no standard input here.
      const file = join(root, `.update-${process.pid}-${serial++}.json`)
      try {
        await Bun.write(file, JSON.stringify(resources), { mode: 0o600 })
        await mustRun("update", id, "--resources", file)
      } finally {
        await rm(file, { force: true })
      }
    },

    async processes(id) {
      const { stdout } = await mustRun("ps", id, "--format", "json")
      const found: unknown = JSON.parse(stdout)
      return Array.isArray(found) ? found.filter((pid): pid is number => typeof pid === "number") : []
    },
  }
}

/** Ids come from the engine: 64 hex digits or names. One with a slash would name another directory. */
export function stateDirectory(root: string, id: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.+-]*$/.test(id)) throw new DhowError("invalid", `Container id "${id}" is not valid`)
  return join(root, id)
}

function parseState(text: string, name: string, id: string): { readonly status: RuntimeStatus; readonly pid: number } {
  try {
    const { status, pid } = JSON.parse(text) as { status?: unknown; pid?: unknown }
    if (typeof status === "string" && STATUSES.has(status))
      return { status: status as RuntimeStatus, pid: typeof pid === "number" ? pid : 0 }
  } catch {
    // Told below.
  }
  throw new DhowError("internal", `Runtime "${name}" does not tell the state of container "${id}"`, {
    cause: new Error(text.slice(0, 500)),
  })
}

/** For verbs that only a running container takes: it may have ended in the same instant. */
function runningFailure(name: string, verb: string, id: string, outcome: Outcome): DhowError {
  if (/not running|process already finished|does not exist|No such (?:process|file)/i.test(outcome.stderr))
    return new DhowError("conflict", `container ${id} is not running`)
  return failure(name, verb, id, outcome)
}

function failure(name: string, verb: string, id: string, outcome: Outcome): DhowError {
  const text = plainMessage(outcome.stderr) || `exit status ${outcome.exitCode}`
  return new DhowError("internal", `OCI runtime ${verb} of container ${id} failed: ${name}: ${text}`)
}
