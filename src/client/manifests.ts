// dhow's endpoints for manifest lists, typed.
import type { ProgressLine } from "../wire/image.ts"
import type { ManifestAnnotate, ManifestInspect } from "../wire/manifest.ts"
import type { Client } from "./client.ts"
import { readJsonLines } from "./json-lines.ts"

const at = (name: string, rest = ""): string =>
  `/dhow/manifests/${name.split("/").map(encodeURIComponent).join("/")}${rest}`

export type RegistryOptions = {
  readonly insecure?: boolean | undefined
  /** X-Registry-Config */
  readonly auths?: string | undefined
}

function headers({ auths }: RegistryOptions): Readonly<Record<string, string>> {
  return auths === undefined ? {} : { "X-Registry-Config": auths }
}

export function createManifestList(
  client: Client,
  list: string,
  options: RegistryOptions & { readonly manifests: readonly string[]; readonly amend?: boolean | undefined },
): Promise<{ readonly Reference: string }> {
  const { manifests: manifest, amend, insecure } = options
  return client.json("POST", at(list, "/create"), { query: { manifest, amend, insecure }, headers: headers(options) })
}

export function annotateManifest(client: Client, list: string, changes: ManifestAnnotate): Promise<number> {
  return client.call("POST", at(list, "/annotate"), { json: changes })
}

export function inspectManifest(
  client: Client,
  name: string,
  options: RegistryOptions & {
    readonly list?: string | undefined
    readonly verbose?: boolean
    /** Only what was put together here. */
    readonly local?: boolean
  } = {},
): Promise<ManifestInspect> {
  const { insecure, list, local, verbose } = options
  return client.json("GET", at(name, "/json"), { query: { insecure, list, local, verbose }, headers: headers(options) })
}

export async function pushManifestList(
  client: Client,
  list: string,
  options: RegistryOptions & { readonly purge?: boolean | undefined },
): Promise<AsyncGenerator<ProgressLine>> {
  const { insecure, purge } = options
  const answer = await client.request("POST", at(list, "/push"), {
    query: { insecure, purge },
    headers: headers(options),
  })
  return readJsonLines(answer.body)
}

export function removeManifestList(client: Client, list: string): Promise<number> {
  return client.call("DELETE", at(list))
}
