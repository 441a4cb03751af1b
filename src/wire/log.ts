// Bodies of dhow's own routes about logs. Types only.

/** Body of POST /dhow/containers/{name}/logs/clear. */
export type ClearedLog = { readonly SpaceReclaimed: number }

/** Body of GET /dhow/logs/usage: bytes on the disk. */
export type LogUsage = {
  readonly Containers: readonly {
    readonly Id: string
    readonly Name: string
    readonly Running: boolean
    readonly Size: number
  }[]
  /** Of containers that are gone. */
  readonly Kept: readonly {
    readonly Id: string
    readonly Name: string
    readonly Image: string
    readonly RemovedAt: string
    readonly KeepUntil: string
    readonly Size: number
  }[]
}

/**
 * The answer of GET /dhow/logs is frames of an 8-byte head and a line: stream (1 or 2), zero, the index of the container
 * in the names of this header (two bytes), the length (four); big-endian.
 */
export const LOG_NAMES_HEADER = "X-Dhow-Log-Names"
