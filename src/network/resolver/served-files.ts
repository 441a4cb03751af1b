// What is served, as files of the exec root: a resolver that starts anew, after a crash or an upgrade, serves the same
// namespaces on the same ports, so that the rules inside them stay right.
import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { errnoName } from "../../lib/errors.ts"
import { ensureDirectory, unlinkIfExists } from "../../lib/files.ts"
import type { ServeOptions } from "./contract.ts"
import type { RedirectPorts } from "./redirect.ts"

export type ServedFile = ServeOptions & { readonly ports: RedirectPorts }

export function resolverDirectory(execRoot: string): string {
  return join(execRoot, "resolver")
}

export function controlPath(execRoot: string): string {
  return join(resolverDirectory(execRoot), "control.sock")
}

export function namespacePath(execRoot: string, key: string): string {
  return join(execRoot, "netns", key)
}

function servedDirectory(execRoot: string): string {
  return join(resolverDirectory(execRoot), "served")
}

export function prepareResolverDirectory(execRoot: string): void {
  ensureDirectory(resolverDirectory(execRoot), 0o700)
  ensureDirectory(servedDirectory(execRoot), 0o700)
}

export function servedKeys(execRoot: string): string[] {
  try {
    return readdirSync(servedDirectory(execRoot)).filter((name) => !name.includes("."))
  } catch (error) {
    if (errnoName(error) === "ENOENT") return []
    throw error
  }
}

/** Undefined where it is gone or torn: the engine asks again for what it needs. */
export function readServed(execRoot: string, key: string): ServedFile | undefined {
  try {
    return JSON.parse(readFileSync(join(servedDirectory(execRoot), key), "utf8")) as ServedFile
  } catch {
    return undefined
  }
}

export function writeServed(execRoot: string, key: string, served: ServedFile): void {
  const path = join(servedDirectory(execRoot), key)
  writeFileSync(`${path}.new`, JSON.stringify(served), { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

export function forgetServed(execRoot: string, key: string): void {
  unlinkIfExists(join(servedDirectory(execRoot), key))
}
