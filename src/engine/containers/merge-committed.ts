// The configuration of an image made from a container: what was said at the commit, completed from the container's, by
// Docker's rules. What says nothing is left out.
import type { Healthcheck, ImageRunConfig } from "../../oci/image-config.ts"

export function mergeCommitted(said: ImageRunConfig, own: ImageRunConfig): ImageRunConfig {
  const environment = said.Env ?? []
  const named = new Set(environment.map(nameOf))
  const hasEntrypoint = (said.Entrypoint?.length ?? 0) > 0
  const merged = {
    ...said,
    User: said.User || own.User,
    ExposedPorts: { ...own.ExposedPorts, ...said.ExposedPorts },
    Env: [...environment, ...(own.Env ?? []).filter((entry) => !named.has(nameOf(entry)))],
    Labels: { ...own.Labels, ...said.Labels },
    Volumes: { ...said.Volumes, ...own.Volumes },
    WorkingDir: said.WorkingDir || own.WorkingDir,
    StopSignal: said.StopSignal || own.StopSignal,
    Healthcheck: mergeHealthcheck(said.Healthcheck, own.Healthcheck),
    Cmd: hasEntrypoint || (said.Cmd?.length ?? 0) > 0 ? said.Cmd : own.Cmd,
    // An empty entry point asks for none; one that nobody spoke of is the container's.
    Entrypoint: said.Entrypoint ?? own.Entrypoint,
  }
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => saysSomething(value))) as ImageRunConfig
}

function mergeHealthcheck(said: Healthcheck | undefined, own: Healthcheck | undefined): Healthcheck | undefined {
  if (said === undefined || own === undefined) return said ?? own
  const set = Object.entries(said).filter(([, value]) => (Array.isArray(value) ? value.length > 0 : Boolean(value)))
  return { ...own, ...Object.fromEntries(set) }
}

function nameOf(entry: string): string {
  return entry.split("=", 1)[0] ?? entry
}

function saysSomething(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === false) return false
  return typeof value !== "object" || Object.keys(value).length > 0
}
