// What this build is: the version of package.json and the commit that tools/build.ts writes in.
import { version } from "../package.json"

declare const DHOW_COMMIT: string | undefined
declare const DHOW_BUILD_TIME: string | undefined

export function buildInfo(): { readonly version: string; readonly commit: string; readonly time: string } {
  return {
    version,
    commit: typeof DHOW_COMMIT === "string" ? DHOW_COMMIT : "unknown",
    time: typeof DHOW_BUILD_TIME === "string" ? DHOW_BUILD_TIME : "",
  }
}
