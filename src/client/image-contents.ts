// dhow's own endpoints about what is in images, typed.
import type {
  Converted,
  FileDifference,
  FilesLine,
  FilesRequest,
  ImageForest,
  ImageMount,
  Squashed,
} from "../wire/image-contents.ts"
import type { Client } from "./client.ts"
import { readJsonLines } from "./json-lines.ts"

/** Slashes of a name stay: they are part of the path. */
const at = (name: string, rest: string): string =>
  `/dhow/images/${name.split("/").map(encodeURIComponent).join("/")}${rest}`

export function imageTree(client: Client): Promise<ImageForest> {
  return client.json("GET", "/dhow/images/tree")
}

export type FilesOptions = FilesRequest & { readonly platform?: string | undefined }

export async function imageFiles(
  client: Client,
  name: string,
  { path, layer, wasted, sort, platform }: FilesOptions,
): Promise<AsyncGenerator<FilesLine>> {
  const { body } = await client.request("GET", at(name, "/files"), { query: { path, layer, wasted, sort, platform } })
  return readJsonLines<FilesLine>(body)
}

export async function imageDifference(
  client: Client,
  before: string,
  options: { readonly after: string; readonly times: boolean; readonly platform?: string | undefined },
): Promise<AsyncGenerator<FileDifference>> {
  const { after, times, platform } = options
  const { body } = await client.request("GET", at(before, "/diff"), { query: { to: after, times, platform } })
  return readJsonLines<FileDifference>(body)
}

export function listImageMounts(client: Client): Promise<ImageMount[]> {
  return client.json("GET", "/dhow/images/mounts")
}

export function mountImage(
  client: Client,
  name: string,
  options: { readonly target?: string | undefined; readonly platform?: string | undefined },
): Promise<ImageMount> {
  return client.json("POST", at(name, "/mount"), { query: options })
}

/** By the image or by the absolute path; where the mounts were. */
export async function unmountImage(client: Client, name: string): Promise<readonly string[]> {
  return (await client.json<{ Targets: readonly string[] }>("POST", "/dhow/images/unmount", { query: { name } }))
    .Targets
}

export type ConvertOptions = {
  readonly target: string
  readonly compression?: string | undefined
  readonly types?: string | undefined
  readonly platform?: string | undefined
}

export function convertImage(client: Client, name: string, options: ConvertOptions): Promise<Converted> {
  const { target, compression, types, platform } = options
  return client.json("POST", at(name, "/convert"), { query: { to: target, compression, types, platform } })
}

export type SquashOptions = {
  readonly tag?: string | undefined
  readonly from?: string | undefined
  readonly base?: string | undefined
  readonly platform?: string | undefined
}

export function squashImage(client: Client, name: string, options: SquashOptions): Promise<Squashed> {
  const { tag, from, base, platform } = options
  return client.json("POST", at(name, "/squash"), { query: { t: tag, from, base, platform } })
}
