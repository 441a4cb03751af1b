// The range of API versions served, and the version a path asks for.
import { DhowError } from "../../lib/errors.ts"

const MINIMUM = 24
export const MAXIMUM = 54
/** What a client that names no version speaks: it was written for answers that newer versions have thinned out. */
const UNNAMED = 51
export const API_VERSION = `1.${MAXIMUM}`
export const MINIMUM_API_VERSION = `1.${MINIMUM}`

/** Splits "/v1.41/info" into its version and the rest; a path without version has none. */
export function splitVersion(path: string): { readonly version: string | undefined; readonly rest: string } {
  if (path.charCodeAt(1) !== 0x76) return { version: undefined, rest: path }
  const slash = path.indexOf("/", 2)
  const version = slash < 0 ? path.slice(2) : path.slice(2, slash)
  if (slash < 0 || !/^[0-9.]+$/.test(version)) return { version: undefined, rest: path }
  return { version, rest: path.slice(slash) }
}

/** The minor number of a version that is served. */
export function checkVersion(version: string | undefined): number {
  if (version === undefined) return UNNAMED
  const [major = 0, minor = 0] = version.split(".").map(Number)
  if (isBeforeJson(version))
    throw new DhowError(
      "invalid",
      `client version ${version} is too old. Minimum supported API version is ${MINIMUM_API_VERSION}, please upgrade your client to a newer version`,
    )
  if (major > 1 || minor > MAXIMUM)
    throw new DhowError(
      "invalid",
      `client version ${version} is too new. Maximum supported API version is ${API_VERSION}`,
    )
  return minor
}

/** Clients of versions that are served no more expect errors as text. */
export function isBeforeJson(version: string | undefined): boolean {
  if (version === undefined) return false
  const [major = 0, minor = 0] = version.split(".").map(Number)
  return major < 1 || (major === 1 && minor < MINIMUM)
}
