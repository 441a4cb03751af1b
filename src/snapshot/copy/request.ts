// What the daemon asks of a process that copies files into or out of a container's file system, and what that answers.

/** A file or directory of the host that the container sees at `destination`. */
export type CopyMount = { readonly source: string; readonly destination: string; readonly writable: boolean }

export type CopyRequest = {
  /** Directory where the container's own files are mounted. */
  readonly root: string
  /** In the order in which the container mounts them. */
  readonly mounts: readonly CopyMount[]
  /** As the client sent it. */
  readonly path: string
}

export type CopyInRequest = CopyRequest & {
  readonly readOnlyRoot: boolean
  /** The archive says what the directory itself is, too. */
  readonly whole?: boolean
  /** A directory is only replaced by a directory, and nothing else by one. */
  readonly keepKinds: boolean
  /** Owner of everything copied; otherwise what the archive says. */
  readonly owner?: { readonly uid: number; readonly gid: number }
}

/** Two directories of the host; the second one is empty. */
export type TreeRequest = { readonly from: string; readonly to: string }
