// For tests: the facts of a container that ended, with what a test wants to be different.
import type { ExitDetail, ExitReport, ExitSettings } from "../../wire/exit.ts"
import type { Ended } from "./facts.ts"

const SETTINGS: ExitSettings = {
  Tty: false,
  OpenStdin: false,
  User: "",
  WorkingDir: "",
  NetworkMode: "bridge",
  RestartPolicy: "no",
  Memory: 0,
  MemorySwap: 0,
  PidsLimit: 0,
  ReadonlyRootfs: false,
  Privileged: false,
  Init: false,
  AutoRemove: false,
  StopSignal: "SIGTERM",
  Ports: [],
}

type Wanted = Partial<Omit<ExitReport, "Settings" | "Detail">> & {
  readonly Settings?: Partial<ExitSettings>
  readonly Detail?: Partial<ExitDetail>
  /** What it wrote last, to standard error. */
  readonly lines?: readonly string[]
}

export function aReport({ Settings, Detail, lines = [], ...more }: Wanted = {}): ExitReport {
  return {
    ContainerID: "c".repeat(64),
    Name: "web",
    Image: "image",
    Command: ["app"],
    Started: true,
    StartedAt: "2030-01-01T00:00:00Z",
    FinishedAt: "2030-01-01T00:00:20Z",
    ExitCode: 1,
    Error: "",
    OOMKilled: false,
    RestartCount: 0,
    WillRestart: false,
    Seen: "at-once",
    Usage: { WallTime: 20e9, Missing: [] },
    Settings: { ...SETTINGS, ...Settings },
    Detail: { LastLines: lines.map((Text) => ({ Stream: "stderr", Text })), Mounts: [], ...Detail },
    ...more,
  }
}

export function facts(wanted: Wanted = {}, more: Partial<Ended> = {}): Ended {
  return {
    id: "c".repeat(64),
    name: "web",
    image: "image",
    status: "exited",
    last: aReport(wanted),
    earlier: [],
    running: undefined,
    health: undefined,
    healthCommand: [],
    healthAction: "none",
    ...more,
  }
}
