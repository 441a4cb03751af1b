// Whether this process lives in a user namespace: only there may "trusted." attributes not be set, and "user." ones have
// to stand in.
import { readFileSync } from "node:fs"
import type { WhiteoutPrefix } from "./place.ts"

export function livesInUserNamespace(): boolean {
  return !/^\s*0\s+0\s+4294967295\s*$/.test(readFileSync("/proc/self/uid_map", "utf8"))
}

/** How overlayfs marks opaque directories for this process. */
export function whiteoutPrefix(): WhiteoutPrefix {
  return livesInUserNamespace() ? "user.overlay." : "trusted.overlay."
}
