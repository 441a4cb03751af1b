// The OCI runtime: crun by default, runc or any other by name. What a container asks for becomes an OCI spec as a pure
// function (spec.ts); the runtime itself is only started, signalled and deleted here, `create` is run by conmon.
import type { RuntimeResources, RuntimeSpec } from "../oci/runtime-spec.ts"

export type RuntimeStatus = "creating" | "created" | "running" | "paused" | "stopped"

export interface Runtime {
  /** "crun", "runc", or the name from the daemon's `runtimes` key. */
  readonly name: string
  readonly path: string
  /** Arguments before the verb, among them --root. */
  readonly args: readonly string[]
  /** The text of config.json for a container to be created now; a runtime may add what makes it quicker. */
  config(id: string, spec: RuntimeSpec): string
  start(id: string): Promise<void>
  /** Signal number to the container's first process; with `pid`, known to be it, straight to that. */
  kill(id: string, signal: number, pid?: number): Promise<void>
  pause(id: string): Promise<void>
  resume(id: string): Promise<void>
  /**
   * Removes the runtime's own state and the cgroup, killing what is left. Fine when there is none. Given the path of the
   * cgroup, it also removes one that the runtime has forgotten: after a create that failed, or a crash.
   */
  delete(id: string, cgroupsPath?: string): Promise<void>
  /** undefined when the runtime knows no such container. */
  state(id: string): Promise<{ readonly status: RuntimeStatus; readonly pid: number } | undefined>
  update(id: string, resources: RuntimeResources): Promise<void>
  /** Process ids, in the engine's pid namespace, of everything in the container. */
  processes(id: string): Promise<readonly number[]>
}
