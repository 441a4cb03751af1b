// What the daemon asks of a process that changes the mounts of a running container, and what that answers: lines of JSON.
// After the request comes a plan; on "attach" what is new is mounted, on "detach" what is to go is taken away, on "undo"
// what "attach" did is undone, on "restore" what an earlier process did.
import type { RuntimeMount } from "../../oci/runtime-spec.ts"

export type LiveMountRequest = {
  /** The container's first process, and its id, which its cgroup is named after. */
  readonly pid: number
  readonly id: string
  /** Where the container's own files are mounted on the host. */
  readonly rootfs: string
  /** Every process of the container, to say who uses a mount. */
  readonly pids: readonly number[]
  /** As the runtime would be told: bind or tmpfs. */
  readonly attach: readonly RuntimeMount[]
  /** One that is attached as well is replaced. Fewer mounts than `least` there mean that it is gone already. */
  readonly detach: readonly { readonly destination: string; readonly least?: number }[]
  /** What an "attach" that a crash interrupted may have done, with what was there before. */
  readonly restore?: LiveMountPlan["attach"]
}

export type MountUser = {
  readonly pid: number
  readonly program: string
  /** 'has "/data/log" open' */
  readonly use: string
}

export type LiveMountPlan = {
  readonly attach: readonly {
    readonly destination: string
    /** How many mounts lie there, one over the other. */
    readonly depth: number
    /** The first directory or file that has to be made for it. */
    readonly missing?: string
  }[]
  readonly detach: readonly {
    readonly destination: string
    readonly depth: number
    readonly users: readonly MountUser[]
  }[]
}

export type LiveMountStep = "attach" | "detach" | "undo" | "restore"

export type LiveMountAnswer =
  | { readonly plan: LiveMountPlan }
  | { readonly done: LiveMountStep }
  | {
      readonly error: {
        readonly kind: "invalid" | "conflict" | "not-implemented" | "internal"
        readonly message: string
      }
    }
