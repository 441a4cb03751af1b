// What a container runs with: what its creator says, completed from the image.
import { posix } from "node:path"
import { DhowError } from "../../lib/errors.ts"
import type { Healthcheck, ImageRunConfig } from "../../oci/image-config.ts"
import type { ContainerConfig } from "../../wire/container.ts"

/** Docker's rules: lists of the user replace, Env, ports, labels and volumes join, a user's entry point drops the image's command. */
export function mergeConfig(user: ContainerConfig, image: ImageRunConfig): ContainerConfig {
  const merged: ContainerConfig = { ...user }
  merged.User = user.User || image.User || ""
  merged.WorkingDir = cleanDirectory(user.WorkingDir || image.WorkingDir || "")
  if (user.StopSignal || image.StopSignal) merged.StopSignal = user.StopSignal || image.StopSignal || ""
  merged.Env = user.Env || image.Env ? mergeEnvironment(user.Env ?? [], image.Env ?? []) : null
  merged.Labels = { ...image.Labels, ...user.Labels }
  const exposed = { ...image.ExposedPorts, ...user.ExposedPorts }
  if (Object.keys(exposed).length > 0) merged.ExposedPorts = exposed
  const volumes = { ...image.Volumes, ...user.Volumes }
  merged.Volumes = Object.keys(volumes).length > 0 ? volumes : null

  // An empty entry point given as [""] asks for none; null or absent asks for the image's.
  let entrypoint = user.Entrypoint ?? null
  let command = user.Cmd ?? null
  if (entrypoint === null || entrypoint.length === 0) {
    if (command === null || command.length === 0) command = image.Cmd ? [...image.Cmd] : null
    if (entrypoint === null) entrypoint = image.Entrypoint ? [...image.Entrypoint] : null
  }
  if (entrypoint !== null && entrypoint.length === 1 && entrypoint[0] === "") entrypoint = null
  merged.Entrypoint = entrypoint
  merged.Cmd = command
  if (!entrypoint?.length && !command?.length) throw new DhowError("invalid", "no command specified")

  const healthcheck = mergeHealthcheck(user.Healthcheck, image.Healthcheck)
  if (healthcheck !== undefined) merged.Healthcheck = healthcheck
  return merged
}

function cleanDirectory(path: string): string {
  if (path !== "" && !path.startsWith("/"))
    throw new DhowError("invalid", `the working directory '${path}' is invalid, it needs to be an absolute path`)
  return path === "" ? "" : posix.resolve(path)
}

function mergeEnvironment(user: readonly string[], image: readonly string[]): string[] {
  const named = new Set(user.map(nameOf))
  return [...user, ...image.filter((entry) => !named.has(nameOf(entry)))]
}

function nameOf(entry: string): string {
  return entry.split("=", 1)[0] ?? entry
}

function mergeHealthcheck(
  user: Healthcheck | null | undefined,
  image: Healthcheck | undefined,
): Healthcheck | undefined {
  if (!user) return image
  if (image === undefined) return user
  const merged: Record<string, unknown> = { ...image }
  for (const [key, value] of Object.entries(user)) {
    const isSet = Array.isArray(value) ? value.length > 0 : Boolean(value)
    if (isSet) merged[key] = value
  }
  return merged as Healthcheck
}

/** argv as `ps` and inspect show it: the first word, and the rest. */
export function commandOf(config: ContainerConfig): { readonly path: string; readonly args: string[] } {
  const [path = "", ...args] = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])]
  return { path, args }
}
