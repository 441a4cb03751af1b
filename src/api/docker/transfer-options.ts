// How dhow's own client asks for what Docker's API has no words for when images move: headers, as src/client/transfer.ts
// sends them.
import type { LayerCompression } from "../../engine/contract.ts"
import { DhowError } from "../../lib/errors.ts"
import type { HttpRequest } from "../http/reply.ts"

const HIGHEST = { gzip: 9, zstd: 19 } as const

export function transferOptions({ headers }: HttpRequest): {
  readonly allPlatforms?: boolean
  readonly limitRate?: number
} {
  const rate = headers.get("x-dhow-limit-rate")
  return {
    ...(headers.get("x-dhow-all-platforms") === "1" ? { allPlatforms: true } : {}),
    ...(rate === undefined ? {} : { limitRate: parseRate(rate) }),
  }
}

export function pushOptions({ headers }: HttpRequest): {
  readonly compression?: LayerCompression
  readonly sameDigest?: boolean
} {
  const compression = headers.get("x-dhow-compression")
  return {
    ...(compression === undefined ? {} : { compression: parseCompression(compression) }),
    ...(headers.get("x-dhow-same-digest") === "1" ? { sameDigest: true } : {}),
  }
}

function parseRate(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new DhowError("invalid", `invalid rate limit "${text}": expected bytes per second`)
}

/** "zstd", or with a level: "zstd:9". */
export function parseCompression(text: string): LayerCompression {
  const [, kind, digits] = /^(gzip|zstd|none)(?::(\d{1,2}))?$/.exec(text) ?? []
  const level = digits === undefined ? undefined : Number(digits)
  if (kind === "none" && level === undefined) return { kind }
  if (kind === "gzip" || kind === "zstd") {
    if (level === undefined) return { kind }
    if (level >= 1 && level <= HIGHEST[kind]) return { kind, level }
    throw new DhowError("invalid", `invalid compression level ${level}: ${kind} has 1 to ${HIGHEST[kind]}`)
  }
  throw new DhowError("invalid", `invalid compression "${text}": expected gzip, zstd or none`)
}
