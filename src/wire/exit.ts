// What is kept of a container's end: who asked for it, what the kernel counted, what was written last. Durations are in
// nanoseconds, sizes in bytes, times RFC 3339; a figure that could not be had is absent, and named in `Missing`.

/** Who wanted a container to end. */
export type Asker =
  | {
      Kind: "client"
      /** As the kernel knows the other end of the socket. */
      Pid: number
      Uid: number
      User?: string
      Program?: string
      /** Who logged in, where that is somebody else: root by sudo. */
      LoginUser?: string
      /** Id of the container it runs in, where it does. */
      Container?: string
    }
  | { Kind: "engine"; Reason: "unhealthy" | "time-limit" | "update" }

/** The last signal that the container was sent through the engine. */
export type Ask = {
  Action: "stop" | "kill" | "restart" | "remove"
  Signal: number
  Time: string
  By?: Asker
  /** The signal before this one, which did not end it in time. */
  First?: { Signal: number; Time: string }
}

/** `State.Usage` of inspect: what the last run used, from its start to its end. */
export type Usage = {
  WallTime?: number
  CPUTime?: number
  UserTime?: number
  SystemTime?: number
  /** In which it had work and was not let, by its CPU limit. */
  ThrottledTime?: number
  ThrottledPeriods?: number
  MemoryPeak?: number
  ReadBytes?: number
  WriteBytes?: number
  ReadOperations?: number
  WriteOperations?: number
  ProcessesPeak?: number
  /** Absent where the network is the host's or another container's. */
  ReceivedBytes?: number
  SentBytes?: number
  /** Fields that this kernel, or the way it ended, gives no figure for. */
  Missing: string[]
}

/** What the kernel refused, and the limits that it knew. */
export type Limits = {
  /** Processes killed for want of memory. */
  OOMKills: number
  MemoryLimit?: number
  /** How often the memory limit was reached. */
  MemoryLimitHits?: number
  ProcessLimit?: number
  /** How often a new process was refused. */
  ProcessesRefused?: number
}

export type LogLine = { Stream: "stdout" | "stderr"; Text: string }

/** What the container's user may do with something mounted, by its owner and mode on the host. */
export type MountAccess = {
  Type: string
  Source: string
  Destination: string
  RW: boolean
  /** Inside: what in the mount this is about, where that is not all of it. Source is the same on the host. */
  Path?: string
  /** "UID:GID" or ranges, where ids are mapped, and who that makes of the container's user; absent where nobody. */
  Map?: string
  AsUid?: number
  AsGid?: number
  Directory: boolean
  Uid: number
  Gid: number
  /** Permission bits, in octal. */
  Mode: string
  Readable: boolean
  Writable: boolean
}

export type ProcessUser = {
  Uid: number
  Gid: number
  Groups: number[]
  /** As the host knows them: the same without a user namespace. */
  HostUid: number
  HostGid: number
}

/** `State.Health` of inspect. */
export type Health = {
  Status: string
  FailingStreak: number
  /** The last five. */
  Log: { Start: string; End: string; ExitCode: number; Output: string }[]
}

/** What is read once the container has ended, before its files are given back. */
export type ExitDetail = {
  /** The last 20 lines of its log, the longest ones cut. */
  LastLines: LogLine[]
  /** Why there are none: "log-driver", "unreadable". */
  NoLines?: string
  User?: ProcessUser
  /** Only where something was refused. */
  Mounts: MountAccess[]
  /** Of the file system that holds the container's layer. */
  DiskFree?: number
  DiskSize?: number
  Health?: Health
}

export type ExitReport = {
  ContainerID: string
  Name: string
  Image: string
  Command: string[]
  /** False where the process could not be started. */
  Started: boolean
  StartedAt: string
  FinishedAt: string
  ExitCode: number
  /** Name of the signal that the exit code stands for. */
  Signal?: string
  Error: string
  OOMKilled: boolean
  RestartCount: number
  /** Whether the restart policy starts it again. */
  WillRestart: boolean
  /** Absent where nobody asked through the engine. */
  Asked?: Ask
  /** Whether the engine saw it end, found it ended when it came back, or cannot tell how: its monitor was gone. */
  Seen: "at-once" | "afterwards" | "lost"
  Usage?: Usage
  Limits?: Limits
  Settings: ExitSettings
  /** Absent where the engine was killed before it was read. */
  Detail?: ExitDetail
}

/** What of the container's configuration an explanation needs. */
export type ExitSettings = {
  Tty: boolean
  OpenStdin: boolean
  User: string
  WorkingDir: string
  NetworkMode: string
  RestartPolicy: string
  Memory: number
  MemorySwap: number
  PidsLimit: number
  ReadonlyRootfs: boolean
  Privileged: boolean
  Init: boolean
  AutoRemove: boolean
  StopSignal: string
  Ports: string[]
}
