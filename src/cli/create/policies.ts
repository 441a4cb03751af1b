// Restart policy, health check, security options, storage options: flags that become small structures.
import { readFileSync } from "node:fs"
import { fromJson, toJson } from "../../lib/exact-json.ts"
import type { Healthcheck } from "../../oci/image-config.ts"
import type { RestartPolicy } from "../../wire/container.ts"
import { cut } from "../flags/csv.ts"
import type { FlagValues } from "../flags/flags.ts"
import type { containerFlags } from "./flags.ts"

export function parseRestartPolicy(text: string): RestartPolicy {
  if (text === "") return {}
  const [name, count] = cut(text, ":")
  if (count !== undefined && name === "")
    throw new Error("invalid restart policy format: no policy provided before colon")
  const policy: RestartPolicy = { Name: name as NonNullable<RestartPolicy["Name"]> }
  if (count === undefined || count === "") return policy
  if (!/^[+-]?\d+$/.test(count))
    throw new Error("invalid restart policy format: maximum retry count must be an integer")
  return { ...policy, MaximumRetryCount: Number(count) }
}

type HealthFlags = Pick<
  FlagValues<typeof containerFlags>,
  | "health-cmd"
  | "health-interval"
  | "health-retries"
  | "health-start-interval"
  | "health-start-period"
  | "health-timeout"
  | "no-healthcheck"
>

export function parseHealth(flags: HealthFlags): Healthcheck | undefined {
  const command = flags["health-cmd"] ?? ""
  const numbers = {
    Interval: flags["health-interval"] ?? 0,
    Timeout: flags["health-timeout"] ?? 0,
    StartPeriod: flags["health-start-period"] ?? 0,
    StartInterval: flags["health-start-interval"] ?? 0,
    Retries: flags["health-retries"] ?? 0,
  }
  const given = command !== "" || Object.values(numbers).some((value) => value !== 0)
  if (flags["no-healthcheck"] === true) {
    if (given) throw new Error("--no-healthcheck conflicts with --health-* options")
    return { Test: ["NONE"] }
  }
  if (!given) return undefined
  for (const [name, value] of Object.entries(numbers)) {
    const flag = name.replace(/(?<!^)([A-Z])/g, "-$1").toLowerCase()
    if (value < 0) throw new Error(`--health-${flag} cannot be negative`)
  }
  const set = Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== 0))
  return { ...(command === "" ? {} : { Test: ["CMD-SHELL", command] }), ...set }
}

export type SecurityOptions = { readonly options: string[]; readonly unconfinedPaths: boolean }

/** A seccomp profile named by file is sent as its text; "systempaths=unconfined" is not an option of the engine's. */
export function parseSecurityOptions(given: readonly string[]): SecurityOptions {
  const options: string[] = []
  for (const option of given) {
    if (option === "systempaths=unconfined") continue
    const [name, value] = cut(option, option.includes("=") ? "=" : ":")
    if ((value === undefined || value === "") && name !== "no-new-privileges")
      throw new Error(`Invalid --security-opt: ${JSON.stringify(option)}`)
    const isFile = name === "seccomp" && value !== "builtin" && value !== "unconfined"
    options.push(isFile ? `seccomp=${seccompProfile(value!)}` : option)
  }
  return { options, unconfinedPaths: given.includes("systempaths=unconfined") }
}

function seccompProfile(path: string): string {
  let text: string
  try {
    text = readFileSync(path, "utf8")
  } catch (error) {
    const why = { ENOENT: "no such file or directory", EACCES: "permission denied", EISDIR: "is a directory" }
    const said = why[(error as NodeJS.ErrnoException).code as keyof typeof why] ?? String(error)
    throw new Error(`opening seccomp profile (${path}) failed: open ${path}: ${said}`)
  }
  try {
    return toJson(fromJson(text))
  } catch (error) {
    throw new Error(`compacting json for seccomp profile (${path}) failed: ${String(error)}`)
  }
}

export function parseStorageOptions(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((option) => {
      const [name, value] = cut(option, "=")
      if (value === undefined) throw new Error("invalid storage option")
      return [name, value]
    }),
  )
}
