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
  | { Kind: "engine"; Reason: "unhealthy" | "time-limit" }

/** The last signal that the container was sent through the engine. */
export type Ask = {
  Action: "stop" | "kill" | "restart" | "remove"
  Signal: number
  Time: string
  By?: Asker
  /** The signal before this one, which did not end it in time. */
  First?: { Signal: number; Time: string }
}
