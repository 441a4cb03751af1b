// Where an entry of a layer goes: its name read as a path below the layer's root, and the OCI whiteouts among names
// (image-spec layer.md, "Whiteouts"). Pure text; no file system is asked.
import { DhowError } from "../lib/errors.ts"

export type Place = { readonly path: string; readonly parent: string; readonly name: string }

/** Attributes of overlayfs: "user." where the daemon lives in a user namespace, which may not set "trusted." ones. */
export type WhiteoutPrefix = "trusted.overlay." | "user.overlay."

export type Whiteout =
  | { readonly kind: "opaque" }
  | { readonly kind: "file"; readonly name: string }
  /** Book-keeping of AUFS, which old images still carry. */
  | { readonly kind: "ignored" }

const PLAIN = /^(?!\.{1,2}(?:\/|$))[^/]+(?:\/(?!\.{1,2}(?:\/|$))[^/]+)*$/

/** ".." stops at the root, as it does for a process whose root that is. The root itself is ".". */
export function placeOf(entryPath: string): Place {
  const path = PLAIN.test(entryPath) ? entryPath : normalize(entryPath)
  const slash = path.lastIndexOf("/")
  return { path, parent: slash < 0 ? "." : path.slice(0, slash), name: path.slice(slash + 1) }
}

function normalize(path: string): string {
  const parts: string[] = []
  for (const part of path.split("/")) {
    if (part === "..") parts.pop()
    else if (part !== "" && part !== ".") parts.push(part)
  }
  return parts.length === 0 ? "." : parts.join("/")
}

export function whiteoutOf(name: string): Whiteout | undefined {
  if (!name.startsWith(".wh.")) return undefined
  if (name === ".wh..wh..opq") return { kind: "opaque" }
  if (name.startsWith(".wh..wh.")) return { kind: "ignored" }
  const hidden = name.slice(".wh.".length)
  if (hidden === "" || hidden === "." || hidden === "..")
    throw new DhowError("invalid", `Whiteout "${name}" names no file`)
  return { kind: "file", name: hidden }
}
