// What pull and push have in common: how fast, and for which platforms.
import { DhowError } from "../../lib/errors.ts"
import { checkedBy, parseBytes } from "../../lib/size.ts"
import { boolean, string } from "../flags/flags.ts"

export const limitRateFlag = string("", "Bytes per second, over all connections", {
  value: "size",
  check: checkedBy(parseRate),
})

export function parseRate(text: string): number {
  const rate = parseBytes(text.replace(/\/s$/, ""))
  if (rate < 1) throw new Error(`invalid rate: '${text}'`)
  return rate
}

export function limitRate(text: string | undefined): number | undefined {
  return text === undefined || text === "" ? undefined : parseRate(text)
}

export const allPlatformsFlag = boolean("", "Every platform that the name has")

export function refuseBoth(platform: string | undefined, allPlatforms: boolean): void {
  if (allPlatforms && platform !== undefined && platform !== "")
    throw new DhowError("invalid", "--platform and --all-platforms exclude each other")
}

/** As the API takes it; undefined where nothing was said. */
export function compressionOf(kind: string | undefined, level: string | undefined): string | undefined {
  if (!kind && !level) return undefined
  return level ? `${kind || "gzip"}:${level}` : kind
}
