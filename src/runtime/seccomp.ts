// From a profile (Docker's file format, or the default) to the seccomp part of a spec. A profile's rules are chosen by
// capabilities, architecture and kernel, so results are kept per combination: the same object for the same question,
// whose serialized form is kept as well.
import { DhowError } from "../lib/errors.ts"
import type { RuntimeSeccomp, SeccompRule } from "../oci/runtime-spec.ts"
import type { HostFacts } from "./host-facts.ts"
import { ARCHITECTURES, DEFAULT_RULES, type ProfileRule, type RuleCondition } from "./seccomp-default.ts"

type SeccompFacts = Pick<HostFacts, "architecture" | "kernel">

/** A profile file: https://docs.docker.com/engine/security/seccomp/ */
type Profile = {
  readonly defaultAction?: string
  readonly defaultErrnoRet?: number
  readonly architectures?: readonly string[] | null
  readonly archMap?:
    | readonly { readonly architecture: string; readonly subArchitectures?: readonly string[] | null }[]
    | null
  readonly flags?: readonly string[] | null
  readonly listenerPath?: string
  readonly listenerMetadata?: string
  readonly syscalls?: readonly ProfileRule[] | null
}

const EPERM = 1
const CACHE_LIMIT = 64
const cache = new Map<string, RuntimeSeccomp | undefined>()
const serialized = new WeakMap<RuntimeSeccomp, string>()

export function defaultSeccomp(capabilities: readonly string[], host: SeccompFacts): RuntimeSeccomp {
  const chosen = remember(key("", capabilities, host), () => {
    const architectures = ARCHITECTURES[host.architecture]
    return {
      defaultAction: "SCMP_ACT_ERRNO",
      defaultErrnoRet: EPERM,
      ...(architectures === undefined ? {} : { architectures }),
      syscalls: chooseRules(DEFAULT_RULES, capabilities, host),
    }
  })
  return chosen!
}

/** Reads a profile that a user sent; undefined when it is empty, which means no filter. */
export function parseSeccomp(
  text: string,
  capabilities: readonly string[],
  host: SeccompFacts,
): RuntimeSeccomp | undefined {
  return remember(key(text, capabilities, host), () => {
    const profile = parseProfile(text)
    if (!profile.defaultAction && !profile.syscalls?.length) return undefined
    if (profile.architectures?.length && profile.archMap?.length)
      throw new DhowError(
        "invalid",
        "both 'architectures' and 'archMap' are specified in the seccomp profile, use either 'architectures' or 'archMap'",
      )
    const native = ARCHITECTURES[host.architecture]?.[0]
    const mapped = profile.archMap?.find((entry) => entry.architecture === native)
    const architectures = mapped
      ? [mapped.architecture, ...(mapped.subArchitectures ?? [])]
      : (profile.architectures ?? [])
    return {
      defaultAction: profile.defaultAction ?? "",
      ...(profile.defaultErrnoRet === undefined ? {} : { defaultErrnoRet: profile.defaultErrnoRet }),
      ...(architectures.length > 0 ? { architectures } : {}),
      ...(profile.flags?.length ? { flags: profile.flags } : {}),
      ...(profile.listenerPath ? { listenerPath: profile.listenerPath } : {}),
      ...(profile.listenerMetadata ? { listenerMetadata: profile.listenerMetadata } : {}),
      syscalls: chooseRules(profile.syscalls ?? [], capabilities, host),
    }
  })
}

/** JSON of a profile; computed once per object. */
export function serializeSeccomp(seccomp: RuntimeSeccomp): string {
  let text = serialized.get(seccomp)
  if (text === undefined) {
    text = JSON.stringify(seccomp)
    serialized.set(seccomp, text)
  }
  return text
}

function parseProfile(text: string): Profile {
  try {
    const value: unknown = JSON.parse(text, keepWideNumbers)
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("it is not a JSON object")
    return value as Profile
  } catch (cause) {
    throw new DhowError("invalid", `Decoding seccomp profile failed: ${(cause as Error).message}`, {
      hint: "--security-opt seccomp= takes unconfined, builtin, or the file of a profile",
    })
  }
}

declare global {
  interface JSON {
    rawJSON(text: string): number
  }
}

/** Arguments are compared as 64-bit numbers, which a double cannot hold: those keep their digits as they stand. */
function keepWideNumbers(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value
  const source = context?.source
  return source !== undefined && /^\d+$/.test(source) ? JSON.rawJSON(source) : value
}

function chooseRules(
  rules: readonly ProfileRule[],
  capabilities: readonly string[],
  host: SeccompFacts,
): SeccompRule[] {
  const chosen: SeccompRule[] = []
  for (const rule of rules) {
    if (rule.name && rule.names?.length)
      throw new DhowError(
        "invalid",
        "both 'name' and 'names' are specified in the seccomp profile, use either 'name' or 'names'",
      )
    if (rule.excludes && matchesAny(rule.excludes, capabilities, host)) continue
    if (rule.includes && !matchesAll(rule.includes, capabilities, host)) continue
    chosen.push({
      names: rule.name ? [rule.name] : (rule.names ?? []),
      action: rule.action,
      ...(rule.errnoRet === undefined ? {} : { errnoRet: rule.errnoRet }),
      ...(rule.args?.length ? { args: rule.args } : {}),
    })
  }
  return chosen
}

function matchesAny(condition: RuleCondition, capabilities: readonly string[], host: SeccompFacts): boolean {
  if (condition.arches?.includes(nativeName(host.architecture))) return true
  if (condition.caps?.some((name) => capabilities.includes(name))) return true
  return Boolean(condition.minKernel) && kernelAtLeast(condition.minKernel!, host)
}

function matchesAll(condition: RuleCondition, capabilities: readonly string[], host: SeccompFacts): boolean {
  if (condition.arches?.length && !condition.arches.includes(nativeName(host.architecture))) return false
  if (condition.caps?.some((name) => !capabilities.includes(name))) return false
  return !condition.minKernel || kernelAtLeast(condition.minKernel, host)
}

/** libseccomp's names are GOARCH's, but for this one. */
function nativeName(architecture: string): string {
  return architecture === "386" ? "x86" : architecture
}

function kernelAtLeast(version: string, host: SeccompFacts): boolean {
  const match = /^(\d+)\.(\d+)$/.exec(version)
  if (match === null)
    throw new DhowError("invalid", `Decoding seccomp profile failed: minKernel "${version}" is not of the form 4.8`)
  const [major, minor] = [Number(match[1]), Number(match[2])]
  return host.kernel.major > major || (host.kernel.major === major && host.kernel.minor >= minor)
}

function key(text: string, capabilities: readonly string[], host: SeccompFacts): string {
  return `${host.architecture} ${host.kernel.major}.${host.kernel.minor} ${capabilities.join(",")} ${text}`
}

function remember(at: string, make: () => RuntimeSeccomp | undefined): RuntimeSeccomp | undefined {
  if (cache.has(at)) return cache.get(at)
  const made = make()
  const oldest = cache.size >= CACHE_LIMIT ? cache.keys().next().value : undefined
  if (oldest !== undefined) cache.delete(oldest)
  cache.set(at, made)
  return made
}
