// What the daemon's configuration adds to every container that says nothing of it, as dockerd does at each start: limits of
// processes, no-new-privileges, the seccomp profile.
import { readFileSync } from "node:fs"
import type { Config } from "../../config.ts"
import { DhowError } from "../../lib/errors.ts"
import type { HostConfig } from "../../wire/container.ts"

type Defaults = Pick<Config, "defaultUlimits" | "noNewPrivileges" | "seccompProfile">

export function withDaemonDefaults(hostConfig: HostConfig, config: Defaults): HostConfig {
  const { defaultUlimits, noNewPrivileges, seccompProfile } = config
  const options = hostConfig.SecurityOpt ?? []
  const says = (name: string): boolean =>
    options.some((option) => option === name || (/^[=:]/.test(option.slice(name.length)) && option.startsWith(name)))
  const added = [
    ...(noNewPrivileges && !says("no-new-privileges") ? ["no-new-privileges"] : []),
    ...(seccompProfile === "builtin" || says("seccomp") ? [] : [`seccomp=${profileOf(seccompProfile)}`]),
  ]
  if (added.length === 0 && defaultUlimits.length === 0) return hostConfig
  return { ...hostConfig, SecurityOpt: [...added, ...options], Ulimits: mergeUlimits(hostConfig, defaultUlimits) }
}

/** As inspect shows it: what a start would give. */
export function withDefaultUlimits(
  hostConfig: HostConfig,
  { defaultUlimits }: Pick<Config, "defaultUlimits">,
): HostConfig {
  return defaultUlimits.length === 0 ? hostConfig : { ...hostConfig, Ulimits: mergeUlimits(hostConfig, defaultUlimits) }
}

/** The container's own stand before the daemon's of the same name. */
export function mergeUlimits(
  { Ulimits }: HostConfig,
  defaults: Config["defaultUlimits"],
): NonNullable<HostConfig["Ulimits"]> {
  const own = Ulimits ?? []
  const named = new Set(own.map(({ Name }) => Name))
  return [...own, ...defaults.filter(({ Name }) => !named.has(Name))]
}

/** As the API carries it: the profile itself. */
function profileOf(seccompProfile: string): string {
  if (seccompProfile === "unconfined") return seccompProfile
  try {
    return readFileSync(seccompProfile, "utf8")
  } catch (cause) {
    throw new DhowError("invalid", `opening seccomp profile (${seccompProfile}) failed`, {
      ...{ cause, hint: 'It is the daemon\'s key "seccomp-profile"' },
    })
  }
}
