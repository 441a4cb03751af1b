// What a container used, in one line.
import type { Usage } from "../../wire/exit.ts"
import { binarySize } from "./human.ts"

export function usageText(usage: Partial<Usage>): string {
  const { CPUTime, UserTime, SystemTime, ThrottledTime = 0 } = usage
  const parts = [
    time("wall", usage.WallTime),
    time("CPU", CPUTime),
    UserTime === undefined || SystemTime === undefined
      ? undefined
      : `(user ${spanText(UserTime)}, system ${spanText(SystemTime)})`,
    ThrottledTime > 0 ? time("held back", ThrottledTime) : undefined,
    size("memory", usage.MemoryPeak, " at most"),
    size("read", usage.ReadBytes),
    size("written", usage.WriteBytes),
    usage.ProcessesPeak === undefined
      ? undefined
      : `${usage.ProcessesPeak} process${usage.ProcessesPeak === 1 ? "" : "es"} at most`,
    size("received", usage.ReceivedBytes),
    size("sent", usage.SentBytes),
    (usage.Missing ?? []).length > 0 ? `not known: ${usage.Missing?.join(", ")}` : undefined,
  ]
  return parts
    .filter((part) => part !== undefined)
    .join(", ")
    .replaceAll(", (", " (")
}

function time(what: string, nanoseconds: number | undefined): string | undefined {
  return nanoseconds === undefined ? undefined : `${what} ${spanText(nanoseconds)}`
}

function size(what: string, bytes: number | undefined, more = ""): string | undefined {
  return bytes === undefined ? undefined : `${what} ${binarySize(bytes, 3)}${more}`
}

/** "0.171s", "4m10s", "2h5m". */
export function spanText(nanoseconds: number): string {
  const seconds = nanoseconds / 1e9
  if (seconds < 60) return `${Number(seconds.toFixed(seconds < 10 ? 3 : 1))}s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 60 ? `${minutes}m${Math.floor(seconds % 60)}s` : `${Math.floor(minutes / 60)}h${minutes % 60}m`
}
