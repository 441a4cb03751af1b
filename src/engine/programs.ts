// What the programs beside the engine say of their version, asked once for each: `crun version 1.8.1`, `commit: f8a0...`.
import { basename } from "node:path"

export type ProgramVersion = { readonly name: string; readonly version: string; readonly commit: string }

const known = new Map<string, ProgramVersion>()

export async function programVersion(path: string | undefined): Promise<ProgramVersion> {
  if (path === undefined) return { name: "", version: "", commit: "" }
  const before = known.get(path)
  if (before !== undefined) return before
  const found = { name: basename(path), ...parseVersion(await output(path)) }
  known.set(path, found)
  return found
}

/** Of what `--version` prints: the word after "version", and the commit where there is one. */
export function parseVersion(text: string): { readonly version: string; readonly commit: string } {
  const version = /version[:\s]+v?(\S+)/i.exec(text)?.[1] ?? ""
  const commit = /^commit: (\S+)/m.exec(text)?.[1] ?? ""
  return { version, commit: commit === "unknown" ? "" : commit }
}

/** What is not there, or does not answer, has no version: nothing that a user asks of the engine fails for that. */
async function output(path: string): Promise<string> {
  try {
    const child = Bun.spawn([path, "--version"], { stdio: ["ignore", "pipe", "ignore"], timeout: 2000 })
    return await new Response(child.stdout).text()
  } catch {
    return ""
  }
}
