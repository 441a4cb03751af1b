// Health as a value: how often a container's check runs, and what its results make of the container. Nothing here waits
// or runs anything (health-checks.ts does).
import { DhowError } from "../../lib/errors.ts"
import type { Healthcheck } from "../../oci/image-config.ts"
import type { ContainerConfig } from "../../wire/container.ts"

export type HealthStatus = "starting" | "healthy" | "unhealthy"

/** One run of a check, as inspect shows it; times are RFC 3339. */
export type HealthResult = {
  readonly Start: string
  readonly End: string
  readonly ExitCode: number
  readonly Output: string
}

/** What outlives the engine. */
export type HealthRecord = { readonly failingStreak: number; readonly results: readonly HealthResult[] }

/** A check ready to be run; times in milliseconds. */
export type Check = {
  readonly command: readonly string[]
  readonly interval: number
  readonly timeout: number
  readonly startPeriod: number
  readonly startInterval: number
  readonly retries: number
}

export type Verdict = { readonly status: HealthStatus; readonly failingStreak: number }

export const HEALTH_FILTERS: readonly string[] = ["none", "starting", "healthy", "unhealthy"]

const MILLISECOND = 1e6
const DEFAULT_SHELL = ["/bin/sh", "-c"]
/** What a timer can be set to. */
const LONGEST = 2 ** 31 - 1

/** Refuses what Docker refuses, in its words. */
export function checkHealthcheck(healthcheck: Healthcheck | null | undefined): void {
  for (const name of ["Interval", "Timeout", "StartPeriod", "StartInterval"] as const) {
    const nanoseconds = healthcheck?.[name] ?? 0
    if (nanoseconds !== 0 && nanoseconds < MILLISECOND)
      throw new DhowError("invalid", `${name} in Healthcheck cannot be less than 1ms`)
  }
  if ((healthcheck?.Retries ?? 0) < 0) throw new DhowError("invalid", "Retries in Healthcheck cannot be negative")
}

/** undefined where nothing is to be checked: no check, or "NONE", or a form that nobody knows. */
export function checkOf({ Healthcheck: healthcheck, Shell }: ContainerConfig): Check | undefined {
  const [form, ...words] = healthcheck?.Test ?? []
  if (!healthcheck || words.length === 0 || (form !== "CMD" && form !== "CMD-SHELL")) return undefined
  const shell = Shell?.length ? Shell : DEFAULT_SHELL
  // An image can hold any number; what is below Docker's least stands for the default.
  const milliseconds = (nanoseconds: number | undefined, otherwise: number): number =>
    nanoseconds !== undefined && nanoseconds >= MILLISECOND ? Math.min(nanoseconds / MILLISECOND, LONGEST) : otherwise
  return {
    command: form === "CMD" ? words : [...shell, ...words],
    interval: milliseconds(healthcheck.Interval, 30_000),
    timeout: milliseconds(healthcheck.Timeout, 30_000),
    startPeriod: milliseconds(healthcheck.StartPeriod, 0),
    startInterval: milliseconds(healthcheck.StartInterval, 5000),
    retries: healthcheck.Retries !== undefined && healthcheck.Retries > 0 ? healthcheck.Retries : 3,
  }
}

/** The health of a container that is being started. */
export function freshHealth(config: ContainerConfig): { readonly health?: HealthStatus } {
  return checkOf(config) === undefined ? {} : { health: "starting" }
}

/** From the end of one run to the begin of the next, `age` milliseconds after the container's start. */
export function nextInterval(check: Check, status: HealthStatus, age: number): number {
  return age < check.startPeriod && status === "starting" ? check.startInterval : check.interval
}

/** What a result makes of the container; `age` is the container's when the run began. */
export function judge(check: Check, before: Verdict, exitCode: number, age: number): Verdict {
  if (exitCode === 0) return { status: "healthy", failingStreak: 0 }
  // Until it was healthy once, failures in the start period do not count.
  if (before.status === "starting" && age < check.startPeriod) return before
  const failingStreak = before.failingStreak + 1
  return { status: failingStreak >= check.retries ? "unhealthy" : before.status, failingStreak }
}
