// The process of a container, and of an exec in it: arguments, environment, identity, limits.
import { DhowError } from "../lib/errors.ts"
import type { RuntimeCapabilities, RuntimeProcess, RuntimeRlimit } from "../oci/runtime-spec.ts"
import type { ContainerConfig, ExecConfig, HostConfig } from "../wire/container.ts"
import { containerCapabilities } from "./capabilities.ts"
import type { HostFacts } from "./host-facts.ts"
import { parseSecurityOptions, type SecurityOptions } from "./security-options.ts"
import type { ResolvedUser, SpecInput } from "./spec-input.ts"

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

export function containerProcess(
  input: SpecInput,
  details: {
    readonly security: SecurityOptions
    readonly initPath: string | undefined
    readonly warnings: string[]
  },
): RuntimeProcess {
  const { config, hostConfig, host, user } = input
  const { security, initPath, warnings } = details
  const command = containerCommand(config)
  const [height = 0, width = 0] = hostConfig.ConsoleSize ?? []
  const terminal = config.Tty ?? false
  const rlimits = containerRlimits(hostConfig, host, warnings)
  const oomScoreAdj = containerOomScore(hostConfig.OomScoreAdj ?? 0, host, warnings)
  return {
    terminal,
    ...(terminal && (height > 0 || width > 0) ? { consoleSize: { height, width } } : {}),
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    args: initPath === undefined ? command : [initPath, "--", ...command],
    env: environment(config.Env ?? [], {
      hostname: input.hostname,
      terminal,
      linked: input.linked,
      home: user.home,
    }),
    cwd: config.WorkingDir || "/",
    capabilities: capabilitySets(containerCapabilities(hostConfig, host)),
    ...(rlimits.length > 0 ? { rlimits } : {}),
    noNewPrivileges: security.noNewPrivileges,
    ...(oomScoreAdj === undefined ? {} : { oomScoreAdj }),
    ...apparmor(security, hostConfig, host),
  }
}

export type ExecInput = {
  readonly exec: ExecConfig
  /** The container's own, merged with its image's. */
  readonly config: ContainerConfig
  readonly hostConfig: HostConfig
  readonly hostname: string
  readonly linked?: readonly string[]
  /** From `resolveUser`, for the exec's user or else the container's. */
  readonly user: ResolvedUser
  readonly host: HostFacts
}

/** What `runtime exec --process` reads: as the container's own process, but for what the exec says. */
export function execProcess(input: ExecInput): RuntimeProcess {
  const { exec, config, hostConfig, host, user } = input
  const security = parseSecurityOptions(hostConfig.SecurityOpt)
  const terminal = exec.Tty ?? false
  const [height = 0, width = 0] = exec.ConsoleSize ?? []
  if (!exec.Cmd?.length) throw new DhowError("invalid", "No exec command specified")
  const defaults = environment(config.Env ?? [], {
    hostname: input.hostname,
    terminal,
    linked: input.linked,
    home: undefined,
  })
  const rlimits = containerRlimits(hostConfig, host, [])
  const oomScoreAdj = containerOomScore(hostConfig.OomScoreAdj ?? 0, host, [])
  const privileged = exec.Privileged || hostConfig.Privileged
  return {
    terminal,
    ...(terminal && (height > 0 || width > 0) ? { consoleSize: { height, width } } : {}),
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    args: exec.Cmd,
    env: withHome(replaceOrAppend(defaults, exec.Env ?? []), user.home),
    cwd: exec.WorkingDir || config.WorkingDir || "/",
    capabilities: capabilitySets(containerCapabilities(privileged ? { Privileged: true } : hostConfig, host)),
    ...(rlimits.length > 0 ? { rlimits } : {}),
    noNewPrivileges: security.noNewPrivileges,
    ...(oomScoreAdj === undefined ? {} : { oomScoreAdj }),
    ...apparmor(security, privileged ? { ...hostConfig, Privileged: true } : hostConfig, host),
  }
}

/** Entrypoint and Cmd joined; an entry point of one empty string means none. */
export function containerCommand(config: Pick<ContainerConfig, "Entrypoint" | "Cmd">): string[] {
  const entrypoint = config.Entrypoint ?? []
  const cleared = entrypoint.length === 1 && entrypoint[0] === ""
  const command = [...(cleared ? [] : entrypoint), ...(config.Cmd ?? [])]
  if (command.length === 0) throw new DhowError("invalid", "no command specified")
  return command
}

function environment(
  own: readonly string[],
  known: {
    readonly hostname: string
    readonly terminal: boolean
    readonly linked: readonly string[] | undefined
    readonly home: string | undefined
  },
): string[] {
  const defaults = [`PATH=${DEFAULT_PATH}`, `HOSTNAME=${known.hostname}`]
  if (known.terminal) defaults.push("TERM=xterm")
  const merged = replaceOrAppend([...defaults, ...(known.linked ?? [])], own)
  return known.home === undefined ? merged : withHome(merged, known.home)
}

function withHome(env: readonly string[], home: string): string[] {
  // An empty one is as good as none, to the runtimes too.
  const others = env.filter((entry) => entry !== "HOME=")
  return others.some((entry) => entry.startsWith("HOME=")) ? others : [...others, `HOME=${home || "/"}`]
}

/** Docker's merge: "NAME=value" replaces or is added, "NAME" alone takes a default away. */
function replaceOrAppend(defaults: readonly string[], own: readonly string[]): string[] {
  const merged: (string | undefined)[] = [...defaults]
  const places = new Map(defaults.map((entry, index) => [entry.slice(0, entry.indexOf("=")), index]))
  for (const entry of own) {
    const equals = entry.indexOf("=")
    const at = places.get(equals < 0 ? entry : entry.slice(0, equals))
    if (equals < 0) {
      if (at !== undefined) merged[at] = undefined
    } else if (at !== undefined) merged[at] = entry
    else merged.push(entry)
  }
  return merged.filter((entry) => entry !== undefined)
}

function capabilitySets(names: readonly string[]): RuntimeCapabilities {
  return { bounding: names, effective: names, permitted: names }
}

/** -1 stands for no limit. What is above the engine's own hard limit is cut to it where that cannot be raised. */
function containerRlimits(hostConfig: HostConfig, host: HostFacts, warnings: string[]): RuntimeRlimit[] {
  return (hostConfig.Ulimits ?? []).map((limit) => {
    const name = limit.Name.toUpperCase()
    const asked = {
      soft: limit.Soft < 0 ? Number.POSITIVE_INFINITY : limit.Soft,
      hard: limit.Hard < 0 ? Number.POSITIVE_INFINITY : limit.Hard,
    }
    const most = host.rlimits.get(name)?.hard ?? Number.POSITIVE_INFINITY
    if (asked.hard <= most || host.capabilities.has("CAP_SYS_RESOURCE")) return { type: `RLIMIT_${name}`, ...asked }
    warnings.push(`The ulimit ${limit.Name} cannot be raised above ${most} on this host (no CAP_SYS_RESOURCE)`)
    return { type: `RLIMIT_${name}`, soft: Math.min(asked.soft, most), hard: most }
  })
}

/** undefined: inherited. Lowering it below the engine's own needs CAP_SYS_RESOURCE. */
function containerOomScore(asked: number, host: HostFacts, warnings: string[]): number | undefined {
  if (asked < -1000 || asked > 1000)
    throw new DhowError("invalid", `Invalid value ${asked}, range for oom score adj is [-1000, 1000]`)
  if (asked >= host.oomScoreAdj || host.capabilities.has("CAP_SYS_RESOURCE")) return asked
  if (asked !== 0)
    warnings.push(`The OOM score cannot be lowered to ${asked} on this host (no CAP_SYS_RESOURCE); it is not changed`)
  return undefined
}

function apparmor(
  security: SecurityOptions,
  hostConfig: HostConfig,
  host: HostFacts,
): { readonly apparmorProfile?: string } {
  if (!host.apparmor) return {}
  const profile = security.apparmor || (hostConfig.Privileged ? "unconfined" : host.apparmorProfile)
  return profile === undefined ? {} : { apparmorProfile: profile }
}
