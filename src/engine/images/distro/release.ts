// A suite's InRelease file, fetched with apt's own methods: its proxies, its certificates. Only to know which suite is
// meant and whether anything changed: mmdebstrap checks the signature of what gets installed.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { DhowError } from "../../../lib/errors.ts"
import { digestOf } from "../../../oci/digest.ts"
import type { Part } from "./apt-sources.ts"
import { run } from "./run.ts"

const HELPER = "/usr/lib/apt/apt-helper"

export type Release = { readonly digest: string; readonly codename: string; readonly date: Date }

/** Undefined where the mirror has no such suite; throws unavailable where it does not answer. */
export async function fetchRelease(
  { suite, source }: Part,
  { directory, signal }: { readonly directory: string; readonly signal: AbortSignal },
): Promise<Release | undefined> {
  const uri = source.uris[0] ?? ""
  const file = join(directory, `InRelease.${suite}`)
  const url = `${uri.replace(/\/+$/, "")}/dists/${suite}/InRelease`
  const { status, stderr } = await run(
    [HELPER, "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=2", "download-file", url, file],
    { signal },
  )
  if (status !== 0) {
    if (/\b404\b|File not found/i.test(stderr)) return undefined
    throw new DhowError("unavailable", `Cannot reach the package mirror for suite "${suite}"`, {
      cause: new Error(stderr.trim().split("\n").at(-1) ?? ""),
      hint: "apt-get update on this machine should work first",
    })
  }
  const text = readFileSync(file, "utf8")
  const field = (name: string): string => new RegExp(`^${name}: *(.+)$`, "m").exec(text)?.[1]?.trim() ?? ""
  const date = new Date(field("Date"))
  if (Number.isNaN(date.getTime()))
    throw new DhowError("unavailable", `The package mirror's Release file of "${suite}" has no date`)
  return { digest: digestOf(text), codename: field("Codename"), date }
}
