// Logins of podman, skopeo and buildah (containers-auth.json): only read, and only where docker's file knows nothing of a
// registry. Their keys may be narrower than a registry: "registry.example.com/team" counts for what lies below it.
import { join } from "node:path"
import { type AuthEntry, readConfig } from "./config-file.ts"

/** `name` is a repository with its registry, or a registry alone. */
export function findPodmanEntry(name: string, environment: NodeJS.ProcessEnv): AuthEntry | undefined {
  for (const path of authFiles(environment)) {
    const { auths } = readConfig(path)
    for (let key = name; auths != null && key !== ""; key = key.slice(0, Math.max(0, key.lastIndexOf("/")))) {
      const entry = Object.hasOwn(auths, key) ? auths[key] : undefined
      if (entry !== undefined) return entry
    }
  }
  return undefined
}

function authFiles(environment: NodeJS.ProcessEnv): readonly string[] {
  const asked = environment["REGISTRY_AUTH_FILE"]
  if (asked) return [asked]
  const runtime = environment["XDG_RUNTIME_DIR"]
  const configuration = environment["XDG_CONFIG_HOME"] || join(environment["HOME"] || "/", ".config")
  return [
    join(runtime ? join(runtime, "containers") : `/run/containers/${process.getuid?.() ?? 0}`, "auth.json"),
    join(configuration, "containers/auth.json"),
  ]
}
