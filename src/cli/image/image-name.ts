// "debian:12@@linux/arm64": an image, and the platform of it that is meant. No name, digest or id of an image can hold
// "@@", and no platform can either.
import { DhowError } from "../../lib/errors.ts"
import { formatPlatform, parsePlatform, samePlatform } from "../../oci/platform.ts"
import { boolean } from "../flags/flags.ts"

const SEPARATOR = "@@"

export type ImageName = {
  readonly name: string
  /** As it was written. */
  readonly platform: string | undefined
}

/** `flag` is the value of --platform beside it. */
export function parseImageName(text: string, flag?: string): ImageName {
  const asked = flag === "" ? undefined : flag
  const at = text.indexOf(SEPARATOR)
  if (at < 0) return { name: text, platform: asked }
  const name = text.slice(0, at)
  const platform = text.slice(at + SEPARATOR.length)
  if (name === "" || platform === "")
    throw new DhowError("invalid", `invalid image "${text}": expected NAME${SEPARATOR}PLATFORM`, {
      hint: "For example debian:12@@linux/arm64",
    })
  const parsed = parsePlatform(platform)
  if (asked !== undefined && !samePlatform(parsed, parsePlatform(asked)))
    throw new DhowError("invalid", `conflicting platforms: "${text}" and --platform ${asked}`)
  return { name, platform }
}

/** The same for commands that take one platform for all their images. */
export function parseImageNames(
  texts: readonly string[],
  flag?: string,
): { readonly names: readonly string[]; readonly platform: string | undefined } {
  const images = texts.map((text) => parseImageName(text, flag))
  const [first] = images
  const key = (platform: string | undefined): string =>
    platform === undefined ? "" : formatPlatform(parsePlatform(platform))
  const other = images.find(({ platform }) => key(platform) !== key(first?.platform))
  if (other !== undefined)
    throw new DhowError("invalid", `conflicting platforms: "${texts[0]}" and "${texts[images.indexOf(other)]}"`, {
      hint: "Name one platform for all of them, with --platform",
    })
  return { names: images.map(({ name }) => name), platform: first?.platform }
}

/** What Docker's environment variable says, for commands that make or fetch something. */
export function defaultPlatform(): string | undefined {
  return process.env["DOCKER_DEFAULT_PLATFORM"] || undefined
}

export const platformCompat = boolean("", "Also take what the platform can run (386 for amd64)")

/** A platform as the API's newer routes take it. */
export function platformJson(platform: string): string {
  return JSON.stringify(parsePlatform(platform))
}
