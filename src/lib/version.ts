// What this program is: the version from package.json, the commit it was built from. tools/build.ts puts the commit in;
// run from source there is none.
import manifest from "../../package.json" with { type: "json" }

declare const DHOW_COMMIT: string | undefined

export const VERSION: string = manifest.version

/** Twelve hex digits, with "-dirty" when the sources differed from it; "unknown" when not built from a repository. */
export const COMMIT: string = typeof DHOW_COMMIT === "undefined" ? "unknown" : DHOW_COMMIT
