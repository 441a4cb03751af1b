// GET /dhow/containers/{id}/why: what happened to a container, in words and in figures.
import type { ContainerStatus } from "./container.ts"
import type { ExitReport, Health, Limits, LogLine, Usage } from "./exit.ts"

export type Fix = {
  /** What it does, or what to do where no command can. */
  Text: string
  Command?: string
}

export type Finding = {
  /** For programs: "oom-limit", "stopped-by-client". */
  Code: string
  /** A sentence. */
  What: string
  /** The facts that it follows from. */
  Evidence: string[]
  Fixes: Fix[]
}

export type Why = {
  ContainerID: string
  Name: string
  Image: string
  Status: ContainerStatus | "removed"
  /** One line: how it is, or how it ended. */
  Summary: string
  /** What explains it best is first. Empty where there is nothing to explain. */
  Findings: Finding[]
  /** The last end, where there was one. */
  Last?: ExitReport
  /** Those before, newest first. */
  Earlier: {
    FinishedAt: string
    ExitCode: number
    Signal?: string
    OOMKilled: boolean
    Started: boolean
    WallTime: number
  }[]
  Health?: Health
  /** While it runs: so far. */
  Running?: { Since: string; Usage: Partial<Usage>; Limits: Limits; LastLines: LogLine[] }
}
